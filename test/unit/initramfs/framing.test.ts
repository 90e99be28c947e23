import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { type Framing, readFraming } from "../../../src/initramfs/framing.ts";
import { memoryWatch, mutate, processorTime, seeded } from "../fuzz.ts";
import { bytes, concat } from "./samples.ts";
import { makeXz } from "./xz.ts";

const data = seeded(1).bytes(300_000);
const plain = encodeArchive([
  { type: "directory", path: "etc", mode: 0o755 },
  { type: "file", path: "etc/large", data },
  { type: "file", path: "init", data: bytes("#!/bin/sh\n") },
]);
const microcode = encodeArchive([
  { type: "directory", path: "kernel", mode: 0o755 },
  { type: "directory", path: "kernel/x86", mode: 0o755 },
  { type: "directory", path: "kernel/x86/microcode", mode: 0o755 },
  { type: "file", path: "kernel/x86/microcode/GenuineIntel.bin", data: data.subarray(0, 500) },
]);
const zstd = Uint8Array.from(Bun.zstdCompressSync(plain));
const xz = makeXz([data.subarray(0, 70_001), data.subarray(7, 150_000)]);
const u32 = (value: number) => [value & 255, (value >> 8) & 255, (value >> 16) & 255, value >>> 24];
const lz4 = concat(
  Uint8Array.of(2, 0x21, 0x4c, 0x18, ...u32(200_000)),
  data.subarray(0, 200_000),
  Uint8Array.of(...u32(5000)),
  data.subarray(0, 5000),
);
const gzip = Uint8Array.from(Bun.gzipSync(Uint8Array.from(plain)));
const whole: readonly (readonly [string, Uint8Array])[] = [
  ["newc", plain],
  ["zstd", zstd],
  ["xz", xz],
  ["lz4", lz4],
];
const junk = bytes("JUNK");
const read = (archive: Uint8Array): Framing => readFraming(bytesOf(archive));
/** Padded as archives that are joined must be. */
const joined = (...archives: readonly Uint8Array[]) =>
  concat(...archives.flatMap((one) => [one, new Uint8Array(4 + ((4 - (one.length % 4)) % 4))]));

describe.each([...whole])("%s", (_, archive) => {
  test("whole, with zeros behind it, and with another archive behind those", () => {
    for (const behind of [[], [new Uint8Array(700)], [new Uint8Array(3)]]) {
      expect(read(concat(archive, ...behind))).toMatchObject({
        fault: undefined,
        unchecked: undefined,
      });
    }
    for (const [, other] of whole) {
      expect(read(joined(archive, other))).toMatchObject({
        fault: undefined,
        unchecked: undefined,
      });
      expect(read(joined(microcode, archive, other)).fault).toBeUndefined();
    }
  });

  test("cut anywhere", () => {
    for (const missing of [1, 2, 5, 100, 5000, archive.length - 300, archive.length - 20]) {
      const cut = archive.subarray(0, archive.length - missing);
      // Of a plain archive the padding at the end is no part; nothing misses it.
      if (archive === plain && missing < 4) continue;
      expect(read(cut).fault?.kind).toBe("cut");
      expect(read(concat(joined(microcode), cut)).fault?.at).toBeGreaterThan(0);
    }
  });

  test("junk behind it, at its place", () => {
    expect(read(concat(archive, junk)).fault).toMatchObject({ kind: "junk", at: archive.length });
    const behind = read(concat(joined(archive), junk)).fault;
    expect(behind).toMatchObject({ kind: "junk", at: joined(archive).length });
    expect(read(concat(archive, junk, new Uint8Array(9000))).fault?.kind).toBe("junk");
  });
});

test("what cannot be looked at without unpacking it is said, and what comes before it is checked", () => {
  expect(read(gzip)).toMatchObject({ unchecked: { at: 0, compression: "gzip" }, fault: undefined });
  const behind = joined(microcode, gzip);
  const at = joined(microcode).length;
  expect(read(behind)).toMatchObject({ unchecked: { at, compression: "gzip" }, earlyOnly: false });
  expect(readFraming(bytesOf(concat(gzip, junk)), gzip.length).fault).toMatchObject({
    kind: "junk",
  });
});

test("microcode alone is no system", () => {
  expect(read(microcode).earlyOnly).toBe(true);
  for (const other of [plain, zstd, gzip])
    expect(read(joined(microcode, other)).earlyOnly).toBe(false);
  expect(read(plain).earlyOnly).toBe(false);
  expect(read(encodeArchive([{ type: "file", path: "kernel.img", data }])).earlyOnly).toBe(false);
});

test("a check that the kernel's xz does not know is a doubt", () => {
  const doubts = (check: number) => read(makeXz([data], check)).doubts.length;
  expect([doubts(0), doubts(1), doubts(4), doubts(10)]).toEqual([0, 0, 1, 1]);
});

test("several frames and streams are one archive after the other", () => {
  expect(read(concat(zstd, zstd)).fault).toBeUndefined();
  expect(read(concat(xz, xz, zstd)).fault).toBeUndefined();
  const skippable = Uint8Array.of(0x50, 0x2a, 0x4d, 0x18, ...u32(3), 1, 2, 3);
  expect(read(concat(skippable, zstd)).fault).toBeUndefined();
  expect(read(concat(lz4, lz4)).fault).toBeUndefined();
});

test("a bootconfig is not read as an archive", () => {
  const archive = concat(zstd, bytes("a=1\n#BOOTCONFIG\n"));
  expect(readFraming(bytesOf(archive), 0, zstd.length).fault).toBeUndefined();
  expect(read(archive).fault).toMatchObject({ kind: "junk", at: zstd.length });
});

test("what the tools make is whole", () => {
  for (const [name, ...command] of [
    ["xz", "xz", "-c", "--check=crc32"],
    ["xz in blocks", "xz", "-c", "--check=crc32", "-T2", "--block-size=40000"],
    ["zstd", "zstd", "-q", "-c", "-19"],
    ["zstd without a size", "zstd", "-q", "-c", "-1", "--no-check"],
    ["lz4", "lz4", "-q", "-c", "-l"],
  ]) {
    if (command[0] === undefined || Bun.which(command[0]) === null) continue;
    const { stdout } = Bun.spawnSync(command, { stdin: plain });
    expect([name, read(stdout)]).toMatchObject([name, { fault: undefined, unchecked: undefined }]);
    expect([name, read(stdout.subarray(0, -4000)).fault?.kind]).toEqual([name, "cut"]);
    expect([name, read(concat(stdout, junk)).fault?.kind]).toEqual([name, "junk"]);
  }
});

test("mutated archives end in an answer, in bounded time and memory", () => {
  const rng = seeded(16);
  const small = [plain, zstd, xz, lz4, microcode, joined(microcode, xz, zstd), joined(xz, plain)];
  const grown = memoryWatch();
  const begin = processorTime();
  const runs = Number(process.env["AEGIS_FUZZ"] ?? 300);
  for (let run = 0; run < runs; run++) {
    const archive = mutate(rng.pick(small), rng);
    const { fault } = read(archive);
    if (fault !== undefined) {
      expect(fault.at).toBeGreaterThanOrEqual(0);
      expect(fault.at).toBeLessThanOrEqual(archive.length);
    }
  }
  expect((processorTime() - begin) / runs).toBeLessThan(50);
  grown(archiveLength(small));
});

const archiveLength = (archives: readonly Uint8Array[]) =>
  archives.reduce((sum, { length }) => sum + length, 0);

test("many footers that lie do not cost a read of their index each", () => {
  const footer = makeXz([data]).subarray(-12);
  // Each says that it has an index of 4 MB before it.
  const lying = Uint8Array.from(footer);
  new DataView(lying.buffer).setUint32(4, (4 << 18) - 2, true);
  new DataView(lying.buffer).setUint32(0, Bun.hash.crc32(lying.subarray(4, 10)), true);
  const archive = new Uint8Array(24 << 20);
  archive.set(xz.subarray(0, 12));
  for (let at = 12 << 20; at < archive.length; at += 12) archive.set(lying, at);
  const begin = processorTime();
  expect(read(archive).fault?.kind).toBe("cut");
  expect(processorTime() - begin).toBeLessThan(2000);
});

test("a large archive of small files is walked as fast as it is read", () => {
  const entry = encodeArchive([{ type: "file", path: "f", data: new Uint8Array() }]);
  const header = entry.subarray(0, 112);
  const count = 100_000;
  const archive = concat(...Array.from({ length: count }, () => header), entry);
  const begin = processorTime();
  expect(read(archive).fault).toBeUndefined();
  expect(processorTime() - begin).toBeLessThan(1000);
});
