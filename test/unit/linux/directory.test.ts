/** Names below a folder: of the folder itself, of one that a link leads to, and none outside. */
import { afterAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { namesIn } from "../../../src/linux/directory.ts";
import { Folder } from "../../../src/linux/file.ts";

const root = mkdtempSync(join(tmpdir(), "aegis-kexec-directory-"));
afterAll(() => rmSync(root, { recursive: true }));
mkdirSync(join(root, "tree/chosen"), { recursive: true });
writeFileSync(join(root, "tree/chosen/framebuffer@0"), "");
symlinkSync(join(root, "tree"), join(root, "link"));
symlinkSync("/", join(root, "tree/out"));

const names = (path: string, folder = "tree") => {
  using opened = Folder.open(join(root, folder));
  return namesIn(opened, path, 10);
};

test("of the folder itself, and of one below it", () => {
  expect(names("")?.toSorted()).toEqual(["chosen", "out"]);
  expect(names("chosen")).toEqual(["framebuffer@0"]);
  expect(names("absent")).toBeUndefined();
  expect(names("chosen/framebuffer@0")).toBeUndefined();
});

test("of a folder that a link leads to, as /proc/device-tree does", () => {
  expect(names("", "link")?.toSorted()).toEqual(["chosen", "out"]);
  expect(names("chosen", "link")).toEqual(["framebuffer@0"]);
});

test("not of one that a link below it leads out to", () => {
  expect(() => names("out")).toThrow("cannot open the directory");
});
