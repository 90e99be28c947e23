/** A store of generations: which is taken, what is passed over and why, and how tries are counted. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { libc } from "../../../src/linux/libc.ts";
import { storedNames, tryOrder } from "../../../src/menu/generations.ts";
import { FolderTree } from "../../../src/source/folder-tree.ts";
import { isStore, Store } from "../../../src/source/generations/store.ts";
import type { Admission, FileTree, FoundTree, Opening } from "../../../src/source/kind.ts";
import { FoundSource, Source } from "../../../src/source/open.ts";

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

/** `[generation, damage]` by the folder's name. */
type Folders = Readonly<Record<string, readonly [generation: number, damage?: string]>>;

function store(folders: Folders): string {
  const root = mkdtempSync(join(tmpdir(), "aegis-store-"));
  roots.push(root);
  for (const [name, [generation, damage]] of Object.entries(folders)) {
    const folder = join(root, name);
    mkdirSync(folder);
    const kernel = `kernel of ${generation}`;
    const sha256 = new Bun.CryptoHasher("sha256").update(kernel).digest("hex");
    const manifest = {
      format: "aegis-kexec/1",
      generation,
      architecture:
        damage !== "foreign"
          ? libc().architecture
          : libc().architecture === "x86_64"
            ? "aarch64"
            : "x86_64",
      kernel: { path: "vmlinuz", size: kernel.length, sha256 },
      initrds: [],
      cmdline: `root=LABEL=G${generation}`,
    };
    const text = JSON.stringify(manifest);
    writeFileSync(join(folder, "boot.json"), damage === "cut" ? text.slice(0, -9) : text);
    if (damage === "missing") continue;
    const bytes = damage === "changed" ? kernel.toUpperCase() : kernel;
    writeFileSync(join(folder, "vmlinuz"), damage === "short" ? bytes.slice(1) : bytes);
  }
  return root;
}

/** A gate with a floor, that nobody signed some generations for. */
function gate(floor: number, unsigned: readonly number[]): Admission {
  return {
    required: true,
    fileSystems: undefined,
    admit: async ({ manifest: { generation } }) => {
      if (generation < floor) throw new KexecError("generation-too-low", { message: "too low" });
      if (unsigned.includes(generation)) {
        throw new KexecError("no-signature", { message: "nobody signed it" });
      }
    },
    judgeWhole: async () => undefined,
  };
}

/** What is taken, what is told on the way, and the folders after its kernel was loaded. */
async function taken(root: string, admission = gate(0, []), entry?: string) {
  const warnings: string[] = [];
  using source = await Source.open(
    { source: root, initrd: [], entry },
    { warn: (line) => void warnings.push(line) },
    admission,
  );
  for (const { make } of source.afterwards) expect(make()).toBeUndefined();
  return {
    generation: source.manifest?.manifest.generation,
    from: source.from?.split("/").at(-1),
    warnings,
    folders: readdirSync(root).sort(),
  };
}

describe("of a store", () => {
  test("the highest is taken, whatever its folder is called", async () => {
    const root = store({ new: [9], "10": [10], "11.2": [3], ".fetching": [99] });
    expect(await taken(root)).toMatchObject({ generation: 10, from: "10", warnings: [] });
  });

  test("what does not verify is passed over with its reason", async () => {
    const root = store({
      a: [20, "cut"],
      b: [19, "changed"],
      c: [18, "short"],
      d: [17, "missing"],
      e: [16, "foreign"],
      f: [15],
      g: [14],
      h: [13],
    });
    const { generation, warnings } = await taken(root, gate(0, [15]));
    expect(generation).toBe(14);
    expect(warnings.map((line) => line.replace(root, "")).sort()).toEqual([
      expect.stringContaining("generation 15 (f) is passed over: nobody signed it"),
      expect.stringMatching(/generation 16 \(e\) is passed over: .*this machine is/),
      expect.stringMatching(/generation 17 \(d\) is passed over: .*no such file/),
      expect.stringMatching(/generation 18 \(c\) is passed over: .*bytes, and the manifest says/),
      expect.stringMatching(/generation 19 \(b\) is passed over: .*SHA-256/),
      expect.stringContaining("generation a is passed over: "),
    ]);
  });

  test("where none verifies, nothing is opened, and the first one's reason is the error's", async () => {
    const root = store({ a: [4, "changed"], b: [3] });
    const refused = taken(root, gate(4, []));
    await expect(refused).rejects.toMatchObject({ code: "digest-mismatch", exit: 5 });
    await expect(refused).rejects.toThrow("none of its 2 can be taken; of the first: ");
  });

  test("tries are counted down once the kernel took it, and used up ones are passed over", async () => {
    const root = store({ "7+2": [7], "6": [6] });
    expect(await taken(root)).toMatchObject({ generation: 7, from: "7", folders: ["6", "7+1-1"] });
    expect(await taken(root)).toMatchObject({ generation: 7, folders: ["6", "7+0-2"] });
    const last = await taken(root);
    expect(last).toMatchObject({ generation: 6, folders: ["6", "7+0-2"] });
    expect(last.warnings).toEqual(["generation 7 (7+0-2) is passed over: it has no tries left"]);
  });

  test("the last resort is the highest that verifies, its tries used up or not", async () => {
    const root = store({ "7+0-3": [7, "changed"], "6+0-3": [6], "5+0-3": [5] });
    const { generation, warnings, folders } = await taken(root);
    expect(generation).toBe(6);
    expect(warnings.at(-1)).toContain("is the last resort");
    expect(folders).toEqual(["5+0-3", "6+0-3", "7+0-3"]);
  });

  test("one is named by its folder, with its counter or without, or by its number", async () => {
    const root = store({ "7+2": [7], old: [6] });
    expect(await taken(root, undefined, "old")).toMatchObject({ generation: 6 });
    expect(await taken(root, undefined, "7")).toMatchObject({ folders: ["7+1-1", "old"] });
    expect(await taken(root, undefined, "generation 6")).toMatchObject({ generation: 6 });
    await expect(taken(root, undefined, "8")).rejects.toMatchObject({ code: "file-not-found" });
  });

  test("all are listed with their verdicts, and the one that would be taken", async () => {
    const root = store({ a: [3, "changed"], "b+0-3": [2], c: [1] });
    using found = await FoundSource.find({ source: root });
    const menu = await found.menu();
    expect(found.kind).toBe("generations");
    const { entries = [] } = (await menu?.list()) ?? {};
    expect(entries.map(({ id, default: isDefault }) => [id, isDefault])).toEqual([
      ["a", false],
      ["b", false],
      ["c", true],
    ]);
    expect(entries[0]?.problem).toContain("SHA-256");
  });
});

describe("a store of many names", () => {
  test("finds a generation among hundreds of files, and one whose name a file has with a counter", async () => {
    const root = store({ real: [7], "8+3": [8], ".9.part": [9] });
    for (let n = 0; n < 600; n++) writeFileSync(join(root, `file-${n}`), "");
    writeFileSync(join(root, "8+0"), "");
    expect(await taken(root)).toMatchObject({ generation: 8, from: "8", warnings: [] });
    expect(await taken(root, undefined, "real")).toMatchObject({ generation: 7 });
  });

  test("keeps the highest, and says that some are not looked at", async () => {
    const numbers = Array.from({ length: 300 }, (_, index) => index + 1);
    const root = store(Object.fromEntries(numbers.map((n) => [`g-${n}`, [n]])));
    const { generation, warnings } = await taken(root);
    expect(generation).toBe(300);
    expect(warnings).toEqual([
      `not all of ${root} is looked at: it has more than 256 generations, and those with the highest names count`,
    ]);
    await expect(taken(root, undefined, "g-44")).rejects.toMatchObject({ code: "file-not-found" });
    expect(await taken(root, undefined, "g-45")).toMatchObject({ generation: 45 });
  });
});

test("a folder that cannot be read is passed over with its reason, and so is a store's own", async () => {
  const root = store({ "9": [9], "8": [8] });
  const opening = (
    tree: FileTree,
    reopen?: () => FoundTree,
    starts = true,
  ): Opening & FoundTree => ({
    ...{ tree, reopen, treeAbove: () => undefined, architecture: libc().architecture },
    ...{ starts, held: new DisposableStack(), admission: gate(0, []) },
    listener: { warn: (line) => void warnings.push(line) },
    follow: () => Promise.reject(new TypeError("nothing is followed")),
  });
  const warnings: string[] = [];
  const damaged = (path: string) =>
    new KexecError("io-error", { message: `cannot read ${path}: structure needs cleaning` });
  const broken = (inside: string): FileTree => {
    const tree = FolderTree.open(root);
    const check = (path: string) => {
      if (path === inside || path.startsWith(`${inside}/`)) throw damaged(path);
      return path;
    };
    return {
      path: root,
      canonicalPath: root,
      open: (path, what) => tree.open(check(path), what),
      names: (path, limit) => tree.names(check(path), limit),
    };
  };
  const one = opening(broken("9"));
  expect(isStore(one)).toBe(true);
  const opened = await new Store(one, one).openDefault(one);
  expect(opened.manifest?.manifest.generation).toBe(8);
  expect(warnings.join()).toContain("generation 9 is passed over: cannot read 9/boot.json");
  // All of it: looked at again with the journal replayed, but only where it is to be started.
  const whole = (starts: boolean) => opening(broken(""), () => opening(broken("none")), starts);
  expect(isStore(whole(true))).toBe(true);
  const again = whole(true);
  expect((await new Store(again, again).openDefault(again)).manifest?.manifest.generation).toBe(9);
  const seen = whole(false);
  await expect(new Store(seen, seen).openDefault(seen)).rejects.toMatchObject({ code: "io-error" });
});

test("of two names of a cut rename the lower count is true", () => {
  const names = (all: readonly string[]) => storedNames(all).map(({ name }) => name);
  expect(names(["7+3", "7+2-1"])).toEqual(["7+2-1"]);
  expect(names(["7+2-1", "7+3"])).toEqual(["7+2-1"]);
  expect(names(["7", "7+1-2"])).toEqual(["7+1-2"]);
});

test("one whose tries cannot be counted is taken only if no other is there", () => {
  const all = [
    { name: "c", generation: 3, triesLeft: 2 },
    { name: "b", generation: 2, triesLeft: 0 },
    { name: "a", generation: 1, triesLeft: undefined },
  ];
  const order = (canCount: boolean) => tryOrder(all, canCount).map(({ generation }) => generation);
  expect(order(true)).toEqual([3, 1, 2]);
  expect(order(false)).toEqual([1, 2, 3]);
});
