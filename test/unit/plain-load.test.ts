/** What every load imports: what only some loads need comes with them, since all that is imported costs each of them. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..", "..", "src");
const packages = new Set<string>();
const transpiler = new Bun.Transpiler({ loader: "ts" });

/** Files that these import, and theirs, without types and without what is loaded on demand. */
function importedBy(starts: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    for (const { kind, path: name } of transpiler.scanImports(
      readFileSync(join(root, path), "utf8"),
    )) {
      if (kind !== "import-statement") continue;
      if (!name.startsWith(".")) packages.add(name);
      if (!/^\..*\.ts$/.test(name)) continue;
      visit(relative(root, join(root, dirname(path), name)));
    }
  };
  for (const start of starts) visit(start);
  return found;
}

const plain = importedBy(["main.ts", "cli/run.ts", "cli/commands/load.ts"]);
const onDemand = [
  "menu/",
  "source/menus/",
  "source/entry/",
  "source/iso/",
  "source/disk/",
  "source/network/",
  "source/generations/",
  "source/kinds.ts",
  "image/iso9660",
  "image/superblock/",
  "linux/network/",
  "linux/secret-memory.ts",
  "trust/tpm/",
  "trust/verify.ts",
  "handoff/leave/",
];

test.each(onDemand)("a plain load imports nothing of %s", (room) => {
  expect([...plain].filter((path) => path.startsWith(room))).toEqual([]);
});

test("a plain load imports no package but what defines commands and calls the kernel", () => {
  expect([...packages].sort()).toEqual(["bun:ffi", "citty"]);
});

test("what it does import is found", () => {
  expect(plain).toContain("handoff/load.ts");
  expect(plain).toContain("source/open.ts");
});
