/** Superblocks beside what blkid(8) says of images that the file systems' own tools made. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  closeSync,
  fstatSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ByteSource, bytesOf, isWithin } from "../../../../src/image/bytes.ts";
import { readSuperblock } from "../../../../src/image/superblock/superblock.ts";
import { mutate, seeded } from "../../fuzz.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-superblock-"));
afterAll(() => rmSync(folder, { recursive: true }));

const MiB = 2 ** 20;
const PATH = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
const uuid = "01234567-89ab-4cde-8f01-23456789abcd";

/** An image: what makes it, how large it is first, and what it is besides what blkid(8) says. */
interface Made {
  readonly name: string;
  readonly command: readonly string[];
  readonly size: number;
}

const images: readonly Made[] = [
  {
    name: "ext2",
    size: 4 * MiB,
    command: ["mke2fs", "-q", "-t", "ext2", "-L", "two", "-U", uuid, "IMAGE"],
  },
  { name: "ext3", size: 8 * MiB, command: ["mke2fs", "-q", "-t", "ext3", "-L", "three", "IMAGE"] },
  {
    name: "ext4",
    size: 8 * MiB,
    command: ["mke2fs", "-q", "-t", "ext4", "-L", "Größe 16 byte", "IMAGE"],
  },
  { name: "ext4-unnamed", size: 8 * MiB, command: ["mke2fs", "-q", "-t", "ext4", "IMAGE"] },
  { name: "xfs", size: 320 * MiB, command: ["mkfs.xfs", "-q", "-L", "twelve-bytes", "IMAGE"] },
  { name: "btrfs", size: 128 * MiB, command: ["mkfs.btrfs", "-q", "-L", "butter", "IMAGE"] },
  { name: "fat12", size: MiB, command: ["mkfs.vfat", "-F", "12", "-n", "SMALL FAT", "IMAGE"] },
  { name: "fat16", size: 16 * MiB, command: ["mkfs.vfat", "-F", "16", "-n", "MIDDLE", "IMAGE"] },
  {
    name: "fat32",
    size: 64 * MiB,
    command: ["mkfs.vfat", "-F", "32", "-n", "STICK", "-i", "0012abcd", "IMAGE"],
  },
  { name: "fat32-unnamed", size: 64 * MiB, command: ["mkfs.vfat", "-F", "32", "IMAGE"] },
  {
    name: "fat32-4k",
    size: 300 * MiB,
    command: ["mkfs.vfat", "-F", "32", "-S", "4096", "-n", "WIDE", "IMAGE"],
  },
  { name: "exfat", size: 16 * MiB, command: ["mkfs.exfat", "-L", "Größe", "IMAGE"] },
  { name: "exfat-unnamed", size: 16 * MiB, command: ["mkfs.exfat", "IMAGE"] },
  {
    name: "squashfs",
    size: 0,
    command: ["mksquashfs", "/etc/hostname", "IMAGE", "-quiet", "-no-progress"],
  },
  { name: "erofs", size: 0, command: ["mkfs.erofs", "--quiet", "IMAGE", "/etc/apt"] },
];

function run(command: readonly string[], path: string): string {
  const words = command.map((word) => (word === "IMAGE" ? path : word));
  const tool = Bun.which(words[0] ?? "", { PATH }) ?? words[0] ?? "";
  const made = Bun.spawnSync([tool, ...words.slice(1)], { stdin: "ignore" });
  if (made.exitCode !== 0) throw new Error(`${words.join(" ")}: ${made.stderr.toString()}`);
  return made.stdout.toString();
}

function sourceOf(path: string): ByteSource & Disposable {
  const fd = openSync(path, "r");
  const { size } = fstatSync(fd);
  return {
    size,
    read(offset, length) {
      if (!isWithin(size, offset, length)) throw new RangeError("outside");
      const bytes = new Uint8Array(length);
      readSync(fd, bytes, 0, length, offset);
      return bytes;
    },
    [Symbol.dispose]: () => closeSync(fd),
  };
}

/** What blkid(8) says, which unlike udev asks nobody; undefined where it says nothing. */
function blkid(path: string, tag: "TYPE" | "LABEL" | "UUID"): string | undefined {
  const command = ["blkid", "--probe", "--output", "value", "--match-tag", tag, "IMAGE"];
  const said = run(command, path).replace(/\n$/, "");
  return said === "" ? undefined : said;
}

for (const { name, command, size } of images) {
  const path = join(folder, name);
  const absent = [command[0] ?? "", "blkid"].filter((tool) => Bun.which(tool, { PATH }) === null);
  const title = absent.length === 0 ? name : `${name} (needs ${absent.join(", ")})`;
  describe.skipIf(absent.length > 0)(title, () => {
    beforeAll(() => {
      if (size > 0) {
        writeFileSync(path, "");
        truncateSync(path, size);
      }
      run(command, path);
    });

    test("is what blkid says it is", () => {
      using source = sourceOf(path);
      const found = readSuperblock(source);
      expect(found).toMatchObject({
        kind: "file-system",
        type: blkid(path, "TYPE") as "ext4",
        label: blkid(path, "LABEL"),
        uuid: blkid(path, "UUID"),
      });
    });

    test("any mutation of its first bytes ends in facts or in none, after a bounded read", () => {
      using source = sourceOf(path);
      const first = source.read(0, Math.min(source.size, 72 * 1024));
      const rng = seeded(7);
      const rounds = Number(process.env["AEGIS_FUZZ"] ?? 2000) / 10;
      for (let round = 0; round < rounds; round++) {
        const mutated = mutate(first, rng);
        let read = 0;
        readSuperblock({
          size: source.size,
          read(offset, length) {
            read += length;
            if (!isWithin(source.size, offset, length)) throw new RangeError("outside");
            const bytes = new Uint8Array(length);
            if (offset < mutated.length) bytes.set(mutated.subarray(offset, offset + length));
            return bytes;
          },
        });
        // The root directory, its chain, and the fixed places
        expect(read).toBeLessThan(80 * 1024);
      }
    });
  });
}

describe("what is no file system of its own", () => {
  const absent = ["cryptsetup"].filter((tool) => Bun.which(tool, { PATH }) === null);
  test.skipIf(absent.length > 0)(
    absent.length > 0 ? "a LUKS container (needs cryptsetup)" : "a LUKS container",
    () => {
      const path = join(folder, "luks");
      const key = join(folder, "key");
      writeFileSync(key, "secret");
      writeFileSync(path, "");
      truncateSync(path, 32 * MiB);
      const quick = ["--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000"];
      const format = ["luksFormat", "--batch-mode", "--type", "luks2", ...quick, "--uuid", uuid];
      run(["cryptsetup", ...format, "IMAGE", key], path);
      using source = sourceOf(path);
      expect(readSuperblock(source)).toEqual({ kind: "member", of: "LUKS", uuid });
    },
  );

  const ext = () => {
    const image = new Uint8Array(4 * MiB);
    const view = new DataView(image.buffer);
    view.setUint16(1024 + 0x38, 0xef53, true);
    return { image, view };
  };

  test("a mirror whose metadata stands at the end begins like its file system", () => {
    const { image, view } = ext();
    expect(readSuperblock(bytesOf(image))).toMatchObject({ type: "ext2" });
    const at = 4 * MiB - 8192;
    view.setUint32(at, 0xa92b4efc, true);
    view.setUint32(at + 4, 1, true);
    expect(readSuperblock(bytesOf(image))).toMatchObject({ kind: "member", of: "md" });
  });

  test("an array of version 0.90, in either byte order", () => {
    for (const little of [true, false]) {
      const { image, view } = ext();
      view.setUint32(4 * MiB - 65_536, 0xa92b4efc, little);
      expect(readSuperblock(bytesOf(image))).toMatchObject({ kind: "member", of: "md" });
    }
  });

  test("an LVM volume", () => {
    const { image } = ext();
    image.set(new TextEncoder().encode("LABELONE"), 512);
    image.set(new TextEncoder().encode("LVM2 001"), 512 + 24);
    expect(readSuperblock(bytesOf(image))).toMatchObject({ kind: "member", of: "LVM" });
  });

  test("the marks of two file systems", () => {
    const { image } = ext();
    image.set(new TextEncoder().encode("XFSB"), 0);
    expect(readSuperblock(bytesOf(image))).toEqual({ kind: "ambiguous", types: ["ext2", "xfs"] });
  });

  test("the journal of another file system", () => {
    const { image, view } = ext();
    view.setUint32(1024 + 0x60, 0x8, true);
    expect(readSuperblock(bytesOf(image))).toBeUndefined();
  });

  test("nothing, and too little", () => {
    for (const size of [0, 1, 511, 512, 4096, 70_000]) {
      expect(readSuperblock(bytesOf(new Uint8Array(size)))).toBeUndefined();
    }
  });
});

test("a chain of clusters that is a circle ends", () => {
  const image = new Uint8Array(2 * MiB);
  const view = new DataView(image.buffer);
  image.set([0x55, 0xaa], 510);
  image.set(new TextEncoder().encode("FAT32   "), 0x52);
  view.setUint16(11, 512, true);
  image[13] = 1;
  view.setUint16(14, 1, true);
  image[16] = 1;
  image[21] = 0xf8;
  view.setUint32(36, 8, true);
  view.setUint32(44, 2, true);
  // Cluster 2 leads to itself, and holds entries that are all deleted
  view.setUint32(512 + 8, 2, true);
  const data = 512 * 9;
  for (let at = 0; at < 512; at += 32) image[data + at] = 0xe5;
  expect(readSuperblock(bytesOf(image))).toMatchObject({ type: "vfat", label: undefined });
});
