/** The counts of a run, from the report of `bun test`. */
import { expect, test } from "bun:test";
import {
  addResults,
  describeCounts,
  noResults,
  notBuiltMark,
  readReport,
} from "../../runner/report.ts";

const xml = `<?xml version="1.0"?><testsuites><testsuite name="x">
<testcase name="passes &amp; says so" time="0.1" />
<testcase name="fails" time="0.1"><failure type="AssertionError" /></testcase>
<testcase name="needs a tool (needs strace)" classname="test/unit/x.test.ts" time="0"><skipped /></testcase>
<testcase name="inside" classname="zstd (needs zstd) &gt; a frame" time="0"><skipped /></testcase>
<testcase name="never mind" classname="a group" time="0"><skipped /></testcase>
<testcase name="two kernels ${notBuiltMark(["aarch64-64k", "x86_64-full"])}" time="0"><skipped /></testcase>
<testcase name="passes, although ${notBuiltMark(["x86_64-full"])}" time="0" />
</testsuite></testsuites>`;

test("what waits for a kernel is counted apart from what is skipped, and that must say what it needs", () => {
  expect(readReport(xml)).toEqual({
    passed: 2,
    failed: ["fails", "a group > never mind: skipped, and does not say what it needs"],
    skipped: ["needs a tool (needs strace)", "zstd (needs zstd) > a frame > inside"],
    notBuilt: [
      {
        name: "two kernels (not built: aarch64-64k, x86_64-full)",
        kernels: ["aarch64-64k", "x86_64-full"],
      },
    ],
  });
});

test("the last line counts what passed, failed and was skipped", () => {
  const total = noResults();
  addResults(total, readReport(xml));
  addResults(total, readReport(xml));
  expect(describeCounts(total)).toBe("4 passed, 4 failed, 4 skipped");
  expect(total.notBuilt).toHaveLength(2);
  expect(readReport("")).toEqual(noResults());
});
