/** Images by the programs that distributions pack them with, and images that break a rule. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { type ByteSource, bytesOf } from "../../../src/image/bytes.ts";
import { readIso9660 } from "../../../src/image/iso9660.ts";
import { isIso9660 } from "../../../src/image/iso9660-mark.ts";
import { IsoTree } from "../../../src/image/iso9660-tree.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import { meteredSource } from "./build.ts";
import { type NameKind, nameKinds, pack, plant } from "./iso-build.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "iso9660-"));
  plant(join(folder, "tree"), {
    "boot/grub/grub.cfg": "menu",
    "boot/grub/loopback.cfg": "source /boot/grub/grub.cfg",
    "live/vmlinuz-6.12.73+deb13-amd64": "kernel".repeat(1000),
    "live/ein Name mit Umläuten und vielen Zeichen.txt": "long",
    "EFI/BOOT/BOOTX64.EFI": "MZ",
    "a/b/c/d/e/f/g/h/i/j/deep.txt": "deep",
    "a/empty": "",
  });
  const long = "n".repeat(200);
  plant(join(folder, "tree"), { [`names/${long}`]: "long name" });
  mkdirSync(join(folder, "links"));
  plant(join(folder, "links"), { "boot/vmlinuz": "kernel", "a/b/file": "file" });
  const links = {
    "a/up": "../boot/vmlinuz",
    "a/absolute": "/boot/vmlinuz",
    "a/b/root": "/",
    "a/b/here": "./file",
    "a/circle": "circle",
    "a/nowhere": "nothing",
    "a/outside": "../../../../boot/vmlinuz",
    [`a/far`]: `b/${"../b/".repeat(80)}file`,
  };
  for (const [path, target] of Object.entries(links)) {
    symlinkSync(target, join(folder, "links", path));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function treeOf(source: ByteSource): IsoTree {
  const volume = readIso9660(source);
  if (volume?.kind !== "iso9660") throw new Error(volume?.why ?? "not an ISO image");
  return new IsoTree(source, volume, "x.iso");
}

function contentOf(source: ByteSource, tree: IsoTree, path: string): string | undefined {
  const node = tree.find(path);
  if (node?.type !== "file") return node?.type;
  return tree
    .extentsOf(node)
    .map(({ offset, length }) => new TextDecoder().decode(source.read(offset, length)))
    .join("");
}

function imageOf(
  kind: NameKind,
  others: readonly string[] = [],
  program: "xorriso" | "genisoimage" = "xorriso",
  tree = "tree",
): Uint8Array {
  return readFileSync(pack(join(folder, tree), join(folder, "x.iso"), kind, others, program));
}

function blkid(name: "LABEL" | "UUID"): string {
  const command = ["blkid", "-p", "-s", name, "-o", "value", join(folder, "x.iso")];
  return Bun.spawnSync(command).stdout.toString().trimEnd();
}

const programs = ["xorriso", "genisoimage"] as const;
const kinds: readonly NameKind[] = ["rock-ridge", "joliet", "both", "neither"];

describe.each(programs)("packed by %s", (program) => {
  test.each(kinds)("with %s names its files are found", (kind) => {
    // Without it genisoimage leaves deep directories out.
    const others = kind === "joliet" || kind === "neither" ? ["-D"] : [];
    const source = bytesOf(imageOf(kind, others, program));
    const tree = treeOf(source);
    const expected = { "rock-ridge": "rock-ridge", joliet: "joliet", both: "rock-ridge" } as const;
    expect(tree.names).toBe(kind === "neither" ? "plain" : expected[kind]);
    expect(contentOf(source, tree, "/boot/grub/grub.cfg")).toBe("menu");
    expect(contentOf(source, tree, "boot//grub/./x/../loopback.cfg")).toBeUndefined();
    expect(contentOf(source, tree, "boot//grub/../grub/./loopback.cfg")).toStartWith("source");
    expect(contentOf(source, tree, "/boot")).toBe("directory");
    expect(contentOf(source, tree, "/a/b/c/d/e/f/g/h/i/j/deep.txt")).toBe("deep");
    expect(contentOf(source, tree, "/a/empty")).toBe("");
    expect(tree.find("/boot/grub/grub.cfg/x")).toBeUndefined();
    expect(tree.find("/nothing")).toBeUndefined();
    expect(tree.list("/nothing")).toBeUndefined();
    expect(tree.list("/EFI/BOOT")?.map(({ name }) => name.toLowerCase())).toEqual(["bootx64.efi"]);
    if (kind !== "neither") {
      const kernel = contentOf(source, tree, "/live/vmlinuz-6.12.73+deb13-amd64");
      expect(kernel).toBe("kernel".repeat(1000));
      expect(contentOf(source, tree, "/live/ein Name mit Umläuten und vielen Zeichen.txt")).toBe(
        "long",
      );
    }
    const isPosix = tree.names === "rock-ridge";
    expect(contentOf(source, tree, "/BOOT/Grub/GRUB.cfg")).toBe(isPosix ? undefined : "menu");
    if (isPosix) expect(contentOf(source, tree, `/names/${"n".repeat(200)}`)).toBe("long name");
  });

  test.each([
    ["MINI", kinds],
    ["Fedora-WS-Live-43", kinds],
    ["A label of thirty-two characters", kinds],
    ["trailing  ", kinds],
    ["Größe", ["joliet", "both"] as const],
  ] as const)("label %p and UUID are those of blkid", (label, all) => {
    for (const kind of all) {
      const bytes = imageOf(kind, ["-V", label], program);
      const volume = readIso9660(bytesOf(bytes));
      expect(volume).toMatchObject({ kind: "iso9660", label: blkid("LABEL"), uuid: blkid("UUID") });
    }
  });
});

test("symbolic links are followed within the image", () => {
  const source = bytesOf(imageOf("rock-ridge", [], "xorriso", "links"));
  const tree = treeOf(source);
  expect(contentOf(source, tree, "/a/up")).toBe("kernel");
  expect(contentOf(source, tree, "/a/absolute")).toBe("kernel");
  expect(contentOf(source, tree, "/a/outside")).toBe("kernel");
  expect(contentOf(source, tree, "/a/b/root/boot/vmlinuz")).toBe("kernel");
  expect(contentOf(source, tree, "/a/b/here")).toBe("file");
  expect(contentOf(source, tree, "/a/far")).toBe("file");
  expect(tree.find("/a/nowhere")).toBeUndefined();
  expect(() => tree.find("/a/circle")).toThrow("symbolic links lead in a circle");
});

test("directories that genisoimage moves away are where they were", () => {
  const source = bytesOf(imageOf("rock-ridge", [], "genisoimage"));
  const tree = treeOf(source);
  expect(contentOf(source, tree, "/a/b/c/d/e/f/g/h/i/j/deep.txt")).toBe("deep");
  expect(tree.list("/rr_moved")).toEqual([]);
});

test("a file of several extents is one", () => {
  // Programs split at 4 GiB; here two files are made one.
  const parts = join(folder, "parts");
  plant(parts, { "PART1.BIN": "x".repeat(3000), "PART2.BIN": "y".repeat(100), "Z.TXT": "z" });
  const bytes = Uint8Array.from(imageOf("neither", [], "xorriso", "parts"));
  const first = Buffer.from(bytes).indexOf("PART1.BIN;1") - 33;
  const second = Buffer.from(bytes).indexOf("PART2.BIN;1") - 33;
  bytes[first + 25] = 0x80;
  bytes[second + 33 + 4] = "1".charCodeAt(0);
  const source = bytesOf(bytes);
  const tree = treeOf(source);
  const file = tree.find("/part1.bin");
  expect(file).toMatchObject({ type: "file", size: 3100 });
  expect(file?.extents).toHaveLength(2);
  expect(contentOf(source, tree, "/part1.bin")).toBe("x".repeat(3000) + "y".repeat(100));
  expect(tree.list("/")?.map(({ name }) => name)).toEqual(["part1.bin", "z.txt"]);
});

test("an image of 8 GiB costs its directories", () => {
  const source = meteredSource(imageOf("both"), 2 ** 33);
  const tree = treeOf(source);
  expect(tree.find("/boot/grub/loopback.cfg")).toMatchObject({ type: "file" });
  expect(source.bytesRead).toBeLessThan(32 << 10);
});

describe("refuses", () => {
  let made: Uint8Array | undefined;
  const good = () => {
    made ??= imageOf("both");
    return made;
  };
  const changed = (change: (view: DataView, bytes: Uint8Array) => void): ByteSource => {
    const bytes = Uint8Array.from(good());
    change(new DataView(bytes.buffer), bytes);
    return bytesOf(bytes);
  };
  const primary = 16 * 2048;
  /** Where the record with this plain name is. */
  const recordOf = (bytes: Uint8Array, name: string): number => {
    const at = Buffer.from(bytes).indexOf(`${String.fromCharCode(name.length)}${name}`);
    if (at < 0) throw new Error(`no record of ${name}`);
    return at - 32;
  };

  test("what is no ISO image is not taken for one", () => {
    for (const size of [0, 100, 32768, 32774, 40000]) {
      expect(isIso9660(bytesOf(new Uint8Array(size)))).toBe(false);
      expect(readIso9660(bytesOf(new Uint8Array(size)))).toBeUndefined();
    }
  });

  test.each([
    ["ends within its volume descriptors", good0(17 * 2048)],
    ["its volume descriptors have no end", over((_, bytes) => bytes.fill(0, 18 * 2048, 19 * 2048))],
    ["it has no primary volume descriptor", over((view) => view.setUint8(primary, 3))],
    ["its logical blocks are not of", over((view) => view.setUint16(primary + 128, 3, true))],
    [
      "its root directory lies outside",
      over((view) => view.setUint32(primary + 158, 2 ** 31, true)),
    ],
  ] as const)("%s", (why, make) => {
    expect(readIso9660(make())).toMatchObject({
      kind: "broken",
      why: expect.stringContaining(why),
    });
  });

  test("a volume of more descriptors than anybody needs", () => {
    const bytes = new Uint8Array(200 * 2048);
    for (let sector = 16; sector < 200; sector++) {
      bytes.set(new TextEncoder().encode("\x00CD001\x01"), sector * 2048);
    }
    const found = readIso9660(bytesOf(bytes));
    expect(found).toMatchObject({ kind: "broken", why: expect.stringContaining("more than") });
  });

  test.each([
    [
      "a directory contains itself",
      over((view, bytes) => {
        const root = view.getUint32(primary + 158, true);
        view.setUint32(recordOf(bytes, "BOOT") + 2, root, true);
      }),
      "/boot/grub",
    ],
    [
      "its directories overlap",
      over((view, bytes) => {
        view.setUint32(recordOf(bytes, "EFI") + 10, 2 * 2048, true);
      }),
      "/EFI/BOOT/BOOTX64.EFI",
    ],
    [
      "a directory lies outside",
      over((view, bytes) => view.setUint32(recordOf(bytes, "BOOT") + 2, 2 ** 30, true)),
      "/boot/grub",
    ],
    [
      "a directory lies outside",
      over((view, bytes) => view.setUint32(recordOf(bytes, "BOOT") + 2, 3, true)),
      "/boot/grub",
    ],
    [
      "a directory record has an impossible length",
      over((view, bytes) => view.setUint8(recordOf(bytes, "BOOT"), 34)),
      "/boot",
    ],
    [
      "a file is interleaved",
      over((view, bytes) => view.setUint8(recordOf(bytes, "EMPTY.;1") + 27, 1)),
      "/a/empty",
    ],
    [
      "has no last one",
      over((view, bytes) => view.setUint8(recordOf(bytes, "EMPTY.;1") + 25, 0x80)),
      "/a/empty",
    ],
  ] as const)("%s: %#", (why, make, path) => {
    expect(() => treeOf(make()).find(path)).toThrow(why);
  });

  test("a directory that is absurdly large", () => {
    const bytes = Uint8Array.from(good());
    const view = new DataView(bytes.buffer);
    view.setUint32(recordOf(bytes, "BOOT") + 10, 2 ** 31, true);
    expect(() => treeOf(meteredSource(bytes, 2 ** 33)).find("/boot/grub")).toThrow(
      "a directory has",
    );
  });

  test.each([
    ["lies beyond its end", 2 ** 30, undefined],
    ["lies in front of its directories", 2, undefined],
  ] as const)("a file that %s", (why, block) => {
    const source = changed((view, bytes) =>
      view.setUint32(recordOf(bytes, "GRUB.CFG;1") + 2, block, true),
    );
    const tree = treeOf(source);
    const node = tree.find("/boot/grub/grub.cfg");
    if (node === undefined) throw new Error("not found");
    expect(() => tree.extentsOf(node)).toThrow(why);
  });

  test("continuations without end", () => {
    const source = changed((view, bytes) => {
      // The long name's continuation is made to continue in itself.
      const ce = Buffer.from(bytes).indexOf("CE\x1c\x01", recordOf(bytes, "NAMES"));
      if (ce < 0) throw new Error("no continuation");
      const block = view.getUint32(ce + 4, true);
      const offset = view.getUint32(ce + 12, true);
      bytes.copyWithin(block * 2048 + offset, ce, ce + 28);
      view.setUint32(ce + 20, 28, true);
      view.setUint32(block * 2048 + offset + 20, 28, true);
    });
    expect(() => {
      const tree = treeOf(source);
      for (const path of ["/", "/names", "/live", "/a"]) tree.list(path);
    }).toThrow("too many continuations");
  });

  function good0(length: number) {
    return () => bytesOf(good().subarray(0, length));
  }

  function over(change: (view: DataView, bytes: Uint8Array) => void) {
    return () => changed(change);
  }
});

test("whatever bytes change, it answers or refuses, in bounded time and memory", () => {
  const images = kinds.map((kind) => imageOf(kind));
  const rounds = Number(Bun.env["AEGIS_FUZZ"]) || 600;
  const rng = seeded(20);
  const check = memoryWatch();
  let refused = 0;
  for (let round = 0; round < rounds; round++) {
    const image = rng.pick(images);
    // Behind the system area, where all that is read lies.
    const from = 16 * 2048;
    const mutated = mutate(image.subarray(from, from + 64 * 1024), rng);
    const bytes = new Uint8Array(from + mutated.length);
    bytes.set(mutated, from);
    const source = meteredSource(bytes, 2 ** 33);
    const start = processorTime();
    try {
      const volume = readIso9660(source);
      if (volume?.kind !== "iso9660") continue;
      const tree = new IsoTree(source, volume, "x.iso");
      for (const path of ["/boot/grub/grub.cfg", "/a/b/c/d/e/f/g/h/i/j/deep.txt", "/live"]) {
        const node = tree.find(path);
        if (node?.type === "file") tree.extentsOf(node);
        tree.list(path);
      }
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      refused++;
    }
    expect(processorTime() - start).toBeLessThan(1500);
    expect(source.bytesRead).toBeLessThan(32 << 20);
  }
  check(2 << 20);
  expect(refused).toBeGreaterThan(rounds / 50);
}, 60_000);

test("every kind of names is tried", () => {
  expect(Object.keys(nameKinds).toSorted()).toEqual(kinds.toSorted());
});
