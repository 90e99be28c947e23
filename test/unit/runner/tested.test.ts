/** The page of what was shown where, of records of tests that passed. */
import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stages } from "../../runner/jobs.ts";
import { readRecords } from "../../runner/tested.ts";
import { pageOf, testedPage, withMuslRuns } from "../../tested.ts";
import type { Place } from "../../vm/lib/witness.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-tested-"));
afterAll(() => rmSync(folder, { recursive: true }));

const x86: Place = {
  arch: "x86_64",
  releases: ["6.1.0-9-cloud-amd64", "6.12.1"],
  pages: 4,
  memory: 512,
  firmware: "BIOS",
  lockdown: false,
  libc: "glibc",
};
const arm: Place = { ...x86, arch: "aarch64", releases: ["7.2.0"], pages: 64, firmware: "none" };
const secured: Place = { ...x86, memory: 2048, firmware: "UEFI, Secure Boot", lockdown: true };

function record(job: string, ...tests: readonly (readonly Place[])[]): void {
  const lines = tests.map((places, index) => JSON.stringify({ test: `${index}`, places }));
  writeFileSync(join(folder, `${job.replaceAll("/", "+")}.jsonl`), `${lines.join("\n")}\n`);
}

test("a test counts once for each kernel and machine that it was shown on", () => {
  record("vm/trust", [x86], [x86, secured], [arm]);
  record("vm/all/attacks", [{ ...arm, libc: "musl" }]);
  const lines = pageOf(readRecords(folder), []).split("\n");
  const table = lines.filter((line) => line.startsWith("| "));
  const cells = table.map((line) => line.split("|").map((cell) => cell.trim()));
  expect(cells[0]?.slice(3, -1)).toEqual([
    ...["6.1", "6.12", "7.2 arm64, 64 KiB", "Secure Boot", "lockdown", "musl", "memory"],
  ]);
  const rowOf = (job: string) => cells.find((row) => row[2] === `\`${job}\``);
  expect(rowOf("vm/trust")?.slice(3, -1)).toEqual([
    ...["2", "2", "1", "1", "1", "", "512 MB to 2 GB"],
  ]);
  expect(rowOf("vm/all/attacks")?.slice(3, -1)).toEqual(["", "", "1", "", "", "1", "512 MB"]);
  expect(rowOf("vm/trust")?.[1]).toStartWith("Only what was signed boots");
});

test("a run with musl counts for the tests that it ran once more", () => {
  record("vm/status", [x86], [x86], [x86]);
  record("musl/status", [{ ...x86, libc: "musl" }], [{ ...x86, libc: "musl" }]);
  const page = pageOf(withMuslRuns(readRecords(folder)), []);
  const row = page.split("\n").find((line) => line.includes("`vm/status`"));
  expect(
    row
      ?.split("|")
      .map((cell) => cell.trim())
      .slice(3, -1),
  ).toEqual([...["3", "3", "", "", "", "2", "512 MB"]]);
  expect(page).not.toContain("musl/status");
});

test("no records are no rows", () => {
  expect(pageOf(readRecords(join(folder, "none")), []).match(/^\| .*`/gm)).toBeNull();
});

test("the page names groups of tests that there are", async () => {
  const page = await Bun.file(testedPage).text();
  const named = [...page.matchAll(/^\| .* \| `([a-z0-9/.-]+)` \|/gm)].map(([, job = ""]) => job);
  expect(named.length).toBeGreaterThan(0);
  const jobs = stages().flat();
  expect(named.filter((one) => !jobs.some(({ name }) => name === one))).toEqual([]);
});
