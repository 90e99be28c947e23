import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { unpackedSize } from "../../../src/initramfs/size/unpacked.ts";
import { needing } from "../../needs.ts";
import { bytes, concat, random } from "./samples.ts";

/** Half of it repeats, as programs do. */
function content(size: number): Uint8Array {
  const next = random(size);
  const noise = Uint8Array.from({ length: size >> 1 }, () => next(256));
  return concat(noise, new Uint8Array(size - noise.length).fill(0x41));
}

const archive = encodeArchive([
  { type: "directory", path: "a" },
  { type: "file", path: "a/large", data: content(12 << 20) },
  { type: "file", path: "a/small", data: bytes("small") },
]);

const made = new Map<string, Uint8Array>();

/** The archive, packed by a tool. */
function packed(command: readonly string[]): Uint8Array {
  const known = made.get(command.join(" "));
  if (known !== undefined) return known;
  const fresh = pack(command, archive);
  made.set(command.join(" "), fresh);
  return fresh;
}

function pack(command: readonly string[], input: Uint8Array): Uint8Array {
  const made = Bun.spawnSync([...command], { stdin: Buffer.from(input) });
  if (!made.success) throw new Error(`${command.join(" ")}: ${made.stderr}`);
  return new Uint8Array(made.stdout);
}

const size = (archive: Uint8Array) => unpackedSize(bytesOf(archive));

/** How far off, as a share. */
function off(archive: Uint8Array, truth: number): number {
  const { likely } = size(archive);
  return likely === undefined ? Number.NaN : Math.abs(likely - truth) / truth;
}

test("a plain archive: its files in whole pages, and what a file costs beside", () => {
  expect(size(archive)).toEqual({
    least: (12 << 20) + 5,
    likely: (12 << 20) + 4096 + 3 * 1024,
  });
});

const tools: readonly (readonly [name: string, command: readonly string[], exact: boolean])[] = [
  ["xz, in one block", ["xz", "--check=crc32", "-0"], true],
  ["xz, in many", ["xz", "--check=crc32", "-0", "--block-size=1MiB"], true],
  ["zstd, out of a pipe", ["zstd", "-q", "-3"], false],
  ["zstd, with its size", ["zstd", "-q", "-3", `--stream-size=${archive.length}`], true],
  ["gzip", ["gzip", "-1"], true],
  ["lz4", ["lz4", "-l", "-1", "-q"], false],
  ["lzma", ["xz", "--format=lzma", "-0"], false],
];

describe("compressed", () => {
  for (const [name, command, exact] of tools) {
    needing(command[0] ?? "").test(name, () => {
      const one = packed(command);
      const { least, likely } = size(one);
      expect(least).toBeLessThanOrEqual(archive.length);
      if (name === "lzma") {
        // Out of a pipe its header says nothing.
        expect(likely).toBeUndefined();
        return;
      }
      if (exact) expect(likely).toBe(archive.length);
      else expect(off(one, archive.length)).toBeLessThan(0.35);
      // Padding changes nothing, and what lies in front is counted.
      const padded = concat(one, new Uint8Array(512));
      expect(off(padded, archive.length)).toBeLessThan(exact ? 0.001 : 0.35);
      const early = encodeArchive([
        { type: "file", path: "kernel/x86/microcode/A.bin", data: new Uint8Array(8192) },
      ]);
      const both = size(concat(early, one));
      expect((both.likely ?? 0) - (size(padded).likely ?? 0)).toBeWithin(8192, 20_000);
      expect(both.least - size(one).least).toBe(8192);
    });
  }
});

test("what ends too early, or is none, gives no more than it has", () => {
  for (const [, command] of tools) {
    if (Bun.which(command[0] ?? "") === null) continue;
    const one = packed(command);
    for (const length of [0, 1, 4, 12, 20, 1000, one.length - 1, one.length - 5]) {
      const { least, likely } = size(one.subarray(0, length));
      expect(least).toBeLessThanOrEqual(archive.length);
      expect(likely === undefined || likely >= least).toBe(true);
    }
  }
  expect(size(new Uint8Array(4096))).toEqual({ least: 0, likely: 0 });
  expect(size(bytes("not an archive"))).toEqual({ least: 0, likely: 0 });
});

test("damaged archives neither hang nor throw", () => {
  const next = random(7);
  for (const [, command] of tools) {
    if (Bun.which(command[0] ?? "") === null) continue;
    const one = Uint8Array.from(
      pack(
        command.filter((word) => !word.startsWith("--stream-size")),
        archive.subarray(0, 100_000),
      ),
    );
    for (let round = 0; round < 300; round++) {
      const damaged = Uint8Array.from(one);
      for (let times = 0; times < 3; times++) damaged[next(damaged.length)] = next(256);
      const { least, likely = 0 } = size(damaged);
      expect(Number.isSafeInteger(least) && Number.isSafeInteger(likely)).toBe(true);
    }
  }
});

test("gzip's size is modulo 4 GiB, and of the last member: what cannot be is left out", () => {
  const small = Bun.gzipSync(Uint8Array.from(bytes("x")));
  const large = packed(["gzip", "-1"]);
  // The last member has one byte, and so cannot be all of it.
  expect(size(concat(large, small)).likely).toBeUndefined();
});
