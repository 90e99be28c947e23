/** Whole runs in a row, and which tests are flaky. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseWanted } from "../../runner/jobs.ts";
import { noResults } from "../../runner/report.ts";
import {
  commandOf,
  currentCommit,
  describeRuns,
  flakyTests,
  inARow,
  readRuns,
  type WholeRun,
  wholeRun,
} from "../../runner/runs.ts";
import { pageOf, withRuns } from "../../tested.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-runs-"));
afterAll(() => rmSync(folder, { recursive: true }));

function run(command: WholeRun["command"], ...failed: readonly string[]): WholeRun {
  return wholeRun(command, "0123abc", 3654.4, { ...noResults(), passed: 12, failed: [...failed] });
}

test("runs in a row end at one that failed, and test:all counts for test", () => {
  const runs = [run("test:all"), run("test", "a > b"), run("test:all"), run("test"), run("test")];
  expect(inARow(runs, "test")).toBe(3);
  // The failed one did not have all tests of it
  expect(inARow(runs, "test:all")).toBe(2);
  expect(inARow([...runs, run("test:all", "c")], "test")).toBe(0);
  expect(inARow([], "test")).toBe(0);
});

test("a test is flaky that failed in some of the last five runs, and until five have passed", () => {
  const failed = [run("test", "always", "now and then"), run("test", "always")];
  expect([...flakyTests(failed)]).toEqual([["now and then", 1]]);
  const passed = Array.from({ length: 4 }, () => run("test"));
  expect([...flakyTests([run("test", "once"), ...passed])]).toEqual([["once", 1]]);
  expect([...flakyTests([run("test", "once"), ...passed, run("test")])]).toEqual([]);
  expect(describeRuns([run("test", "once"), ...passed])).toBe(
    "whole runs in a row that passed: test 4, test:all 0\nflaky:\n    once (failed in 1 of 5)",
  );
});

test("a run of named groups, or a quick one, is not whole", () => {
  const command = (...args: readonly string[]) => commandOf(parseWanted(args));
  expect([command(), command("--all")]).toEqual(["test", "test:all"]);
  expect([command("--quick"), command("vm"), command("--all", "vm")]).toEqual([
    ...[undefined, undefined, undefined],
  ]);
});

test("runs are kept as lines, and written into the page", () => {
  const path = join(folder, "runs.jsonl");
  expect(readRuns(path)).toEqual([]);
  const runs = [run("test:all"), run("test", "a > b")];
  writeFileSync(path, runs.map((one) => `${JSON.stringify(one)}\n`).join(""));
  expect(readRuns(path)).toEqual(runs);
  const today = new Date().toISOString().slice(0, 10);
  expect(pageOf(new Map(), readRuns(path))).toContain(
    `| \`test:all\` | 0123abc | ${today} | 60 min 54 s | 12 | 0 | 0 | 0 |
| \`test\` | 0123abc | ${today} | 60 min 54 s | 12 | 1 | 0 | 0 |
`,
  );
});

test("runs of another machine stay in the page, with all else that it says", () => {
  const first = pageOf(new Map(), [run("test:all", "a > b")]).replace("| what", "| kept");
  const page = withRuns(first, [run("test:all"), run("test")]);
  const rows = page.match(/^\| `test.*/gm)?.map((one) => one.split("|").map((cell) => cell.trim()));
  expect(rows?.map((cells) => [cells[1], cells[6]])).toEqual([
    ...[
      ["`test:all`", "1"],
      ["`test:all`", "0"],
      ["`test`", "0"],
    ],
  ]);
  expect(page).toContain("| kept");
  // What the page has of this machine is there once
  expect(withRuns(page, [run("test:all"), run("test")])).toBe(page);
  expect(pageOf(new Map(), [], page).match(/^\| `test.*/gm)).toHaveLength(3);
  const many = Array.from({ length: 12 }, (_, index) => ({ ...run("test"), seconds: index }));
  expect(withRuns(page, many).match(/^\| `test.*/gm)).toHaveLength(10);
});

test("what is tested is told by its commit", () => {
  expect(currentCommit()).toMatch(/^([0-9a-f]{7,40}\+?|unknown)$/);
  expect(currentCommit("/nowhere")).toBe("unknown");
});
