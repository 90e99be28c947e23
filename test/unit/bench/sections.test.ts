/** The figures that people read are those that the bench recorded. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { figureSvg } from "../../bench/figure.ts";
import { withSection } from "../../bench/readme.ts";
import { readRecorded, resultsFolder } from "../../bench/results.ts";
import { summary } from "../../bench/summary.ts";
import { section } from "../../bench/table.ts";

const root = join(import.meta.dir, "../../..");
const recorded = readRecorded();
const textOf = (path: string) => readFileSync(join(root, path), "utf8");

test.each([
  ["README.md", summary(recorded)],
  ["docs/measurements.md", section(recorded)],
])("the section of %s is what the recorded results say", (path, written) => {
  const text = textOf(path);
  expect(text).toContain("<!-- bench -->");
  expect(withSection(text, written)).toBe(text);
});

test("so are the pictures", () => {
  for (const theme of ["light", "dark"] as const) {
    const picture = readFileSync(join(resultsFolder, `bench-${theme}.svg`), "utf8");
    expect(figureSvg(recorded, theme)).toBe(picture);
  }
});
