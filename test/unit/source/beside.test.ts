/** Signatures beside a file, whatever they are called. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InputFile } from "../../../src/linux/file.ts";
import { besideIn } from "../../../src/source/beside.ts";
import { FolderTree } from "../../../src/source/folder-tree.ts";
import { foundFile } from "../../../src/source/place.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "beside-"));
  mkdirSync(join(folder, "sub"));
  for (const path of ["boot.json", "sub/boot.json"]) {
    for (const suffix of ["", ".sig", ".a.sig", ".b.minisig", "5"]) {
      writeFileSync(join(folder, `${path}${suffix}`), suffix || "{}");
    }
  }
  writeFileSync(join(folder, "other.json.sig"), "x");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const all = [".a.sig", ".b.minisig", ".sig", "5"];

test.each(["boot.json", "sub/boot.json", "/boot.json", "/sub/boot.json"])(
  "of %s in a tree",
  async (path) => {
    using tree = FolderTree.open(folder);
    const beside = besideIn(tree, path);
    expect([...(beside.suffixes?.(100) ?? [])].sort()).toEqual(all);
    using file = await beside(".a.sig", "signature");
    expect(new TextDecoder().decode(file.read(0, file.size))).toBe(".a.sig");
  },
);

test("of a file by its path, and of one in a folder that is not there", () => {
  using held = new DisposableStack();
  const found = foundFile(held.use(InputFile.open(join(folder, "boot.json"), "kernel")), held);
  expect([...(found.openBeside.suffixes?.(100) ?? [])].sort()).toEqual(all);
  using tree = FolderTree.open(folder);
  expect(besideIn(tree, "none/boot.json").suffixes?.(100)).toEqual([]);
});
