import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { finalizeHandover, wantsFinalizing } from "../../../src/handoff/stages/kexec-handover.ts";

const root = mkdtempSync(join(tmpdir(), "aegis-kexec-kho-"));
afterAll(() => rmSync(root, { recursive: true }));
const onLinux = process.platform === "linux" ? test : test.skip;

/** A folder such as debugfs has, where `finalize` holds `state`. */
function folderWith(state: string | undefined): string {
  const folder = mkdtempSync(join(root, "kho-"));
  mkdirSync(join(folder, "out"));
  if (state !== undefined) writeFileSync(join(folder, "out", "finalize"), state);
  return folder;
}

/** What was said, and what `finalize` holds then. */
async function finalize(folder: string, release = "6.17.1", on = true) {
  const said: string[] = [];
  const observer = {
    note: (line: string) => void said.push(`note: ${line}`),
    warn: (line: string) => void said.push(`warn: ${line}`),
  };
  const facts = { folder, release: () => release, on: async () => on };
  return { made: await finalizeHandover(observer, facts), said };
}

const stateIn = (folder: string) => readFileSync(join(folder, "out", "finalize"), "utf8");

onLinux("what is open is finalized, and opened again for a load that failed", async () => {
  const folder = folderWith("0\n");
  const { made, said } = await finalize(folder);
  expect(said).toEqual(["note: finalized the kexec handover"]);
  expect(stateIn(folder)).toBe("1\n");
  made?.[Symbol.dispose]();
  expect(stateIn(folder)).toBe("0\n");
});

onLinux("what somebody else has finalized stays so", async () => {
  const folder = folderWith("1\n");
  expect(await finalize(folder)).toEqual({ made: undefined, said: [] });
  expect(stateIn(folder)).toBe("1\n");
});

onLinux("without the file only a kernel that wants it, and hands over, is told of", async () => {
  expect((await finalize(folderWith(undefined))).said.join()).toContain("mount debugfs");
  expect((await finalize(folderWith(undefined), "6.19.0")).said).toEqual([]);
  expect((await finalize(folderWith(undefined), "6.17.1", false)).said).toEqual([]);
});

onLinux("a file that cannot be read, as under lockdown, is told of", async () => {
  const folder = folderWith(undefined);
  mkdirSync(join(folder, "out", "finalize"));
  const { made, said } = await finalize(folder, "7.2.0");
  expect(made).toBeUndefined();
  expect(said).toEqual([expect.stringMatching(/^warn: .* hands nothing over: .*finalize: /)]);
});

test("the step is that of three releases", () => {
  for (const release of ["6.16", "6.17.0-rc1", "6.18.3-amd64"]) {
    expect(wantsFinalizing(release)).toBe(true);
  }
  for (const release of ["6.1.160", "6.15.9", "6.19", "7.17.0", "16.17.0", "6.160"]) {
    expect(wantsFinalizing(release)).toBe(false);
  }
});
