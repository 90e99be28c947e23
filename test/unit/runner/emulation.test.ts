/** What is left out of the command-line cases where processors are emulated. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { lackOfEmulation, leftOut } from "../../cli/emulation.ts";
import { parseCases } from "../../cli/format.ts";
import { readReport } from "../../runner/report.ts";

test("cases that there are, each once, with what they lack", () => {
  const folder = join(import.meta.dir, "../../cli/cases");
  const names = readdirSync(folder).flatMap((file) =>
    parseCases(readFileSync(join(folder, file), "utf8"), file).map(({ name }) => name),
  );
  expect(leftOut.map((one) => [one, names.filter((name) => name === one).length])).toEqual(
    leftOut.map((one) => [one, 1]),
  );
  // As the runner reads it, a skip that says what it needs
  const skips = leftOut.map(
    (one) =>
      `<testcase name="${Bun.escapeHTML(`${one} (${lackOfEmulation(one)})`)}"><skipped /></testcase>`,
  );
  expect(readReport(skips.join("\n"))).toMatchObject({
    failed: [],
    skipped: { length: leftOut.length },
  });
  expect(lackOfEmulation("an option that does not exist")).toBeUndefined();
});
