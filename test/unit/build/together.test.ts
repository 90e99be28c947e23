import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { pathOf, requireOwnNames, together } from "../../../build/together.ts";

const src = dirname(pathOf("main"));
const files = [...new Bun.Glob("**/*.ts").scanSync({ cwd: src })];

/** Files that something in src loads on demand, relative to src, without their ending. */
const onDemand = new Set(
  files.flatMap((file) => {
    const text = readFileSync(join(src, file), "utf8");
    return [...text.matchAll(/import\("(\.[^"]+)\.ts"\)/g)].map(([, to = ""]) =>
      relative(src, join(src, dirname(file), to)),
    );
  }),
);

test("each file of a line is loaded on demand, and stands in one line", () => {
  const named = Object.values(together).flat();
  expect(named.filter((file) => !onDemand.has(file))).toEqual([]);
  expect(new Set(named).size).toBe(named.length);
});

describe("the files of a line have names of their own", () => {
  test.each(Object.entries(together))("%s", async (line, members) => {
    await requireOwnNames(line, members);
  });

  test("two that have not are refused", async () => {
    const both = ["handoff/inspect", "cli/commands/inspect"];
    await expect(requireOwnNames("inspect", both)).rejects.toThrow("both export inspect");
  });
});
