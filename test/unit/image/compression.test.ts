import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readCompression, zstdWindow } from "../../../src/image/compression.ts";
import { needing } from "../../needs.ts";
import { ascii, concat, patched } from "./build.ts";

const zstdMagic = Uint8Array.of(0x28, 0xb5, 0x2f, 0xfd);
const lz4Magic = Uint8Array.of(0x04, 0x22, 0x4d, 0x18);

function skippable(length: number, nibble = 0): Uint8Array {
  return concat(
    patched(new Uint8Array(8), [0, 4, 0x184d2a50 + nibble], [4, 4, length]),
    new Uint8Array(length),
  );
}

describe("real streams", () => {
  const data = Uint8Array.from(ascii("the same words again and again ".repeat(20)));
  test("gzip and zstd, by this runtime", () => {
    expect(readCompression(bytesOf(Bun.gzipSync(data)))).toBe("gzip");
    expect(readCompression(bytesOf(Bun.zstdCompressSync(data)))).toBe("zstd");
  });

  const tools = [
    ["xz", ["xz", "-c"], "xz"],
    ["xz as kernels use it", ["xz", "-c", "--check=crc32", "--x86", "--lzma2"], "xz"],
    ["lzma", ["xz", "-c", "--format=lzma", "-9"], "lzma"],
    ["bzip2", ["bzip2", "-c"], "bzip2"],
    ["lz4", ["lz4", "-c"], "lz4"],
    ["lz4 -l", ["lz4", "-lc"], "lz4-legacy"],
    ["lzop", ["lzop", "-c"], "lzo"],
  ] as const;
  for (const [name, command, expected] of tools) {
    needing(command[0]).test(`${name}, by its own tool`, () => {
      const { stdout, exitCode } = Bun.spawnSync([...command], { stdin: data });
      expect(exitCode).toBe(0);
      expect(readCompression(bytesOf(stdout))).toBe(expected);
    });
  }
});

test.each([
  ["gzip", [0x1f, 0x8b]],
  ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00]],
  ["bzip2", [0x42, 0x5a, 0x68, 0x39]],
  ["lzma", [0x5d, 0x00, 0x00, 0x80, 0x00]],
  ["lz4-legacy", [0x02, 0x21, 0x4c, 0x18]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["lzo", [0x89, 0x4c, 0x5a, 0x4f, 0x00, 0x0d, 0x0a, 0x1a, 0x0a]],
] as const)("%s by its magic, at any offset", (expected, magic) => {
  const bytes = Uint8Array.from(magic);
  expect(readCompression(bytesOf(bytes))).toBe(expected);
  expect(readCompression(bytesOf(concat(new Uint8Array(5), bytes)), 5)).toBe(expected);
  expect(readCompression(bytesOf(bytes.subarray(0, 1)))).toBeUndefined();
});

describe("skippable frames", () => {
  test("are stepped over, to zstd or lz4", () => {
    expect(readCompression(bytesOf(concat(skippable(7), zstdMagic)))).toBe("zstd");
    const two = concat(skippable(0, 15), skippable(300, 3), lz4Magic);
    expect(readCompression(bytesOf(two))).toBe("lz4");
  });

  test("before another format mean nothing", () => {
    expect(readCompression(bytesOf(concat(skippable(4), Bun.gzipSync("x"))))).toBeUndefined();
  });

  test("without end, and pointing outside", () => {
    const many = concat(...Array.from({ length: 50 }, () => skippable(0)), zstdMagic);
    expect(readCompression(bytesOf(many))).toBeUndefined();
    expect(readCompression(bytesOf(skippable(9).subarray(0, 12)))).toBeUndefined();
    expect(readCompression(bytesOf(patched(skippable(0), [4, 4, 0xffff_ffff])))).toBeUndefined();
  });
});

test("nothing is nothing", () => {
  expect(readCompression(bytesOf(new Uint8Array()))).toBeUndefined();
  expect(readCompression(bytesOf(new Uint8Array(64)))).toBeUndefined();
  expect(readCompression(bytesOf(zstdMagic), 99)).toBeUndefined();
});

describe("the window of a zstd frame", () => {
  test.each([20, 300, 70_000])("of a single segment of %d bytes is all of it", (size) => {
    const noise = Uint8Array.from({ length: size }, (_, at) => (at * 7919) >> 3);
    expect(zstdWindow(bytesOf(Bun.zstdCompressSync(noise)))).toBe(size);
  });

  needing("zstd").test("is what the tool was told", () => {
    for (const log of [20, 27, 31]) {
      const { stdout } = Bun.spawnSync(["zstd", "-c", `--long=${log}`], {
        stdin: new Uint8Array(4096),
      });
      expect(zstdWindow(bytesOf(stdout))).toBe(2 ** log);
    }
  });

  test("may lie between two powers of two, and is not told of anything else", () => {
    const frame = concat(zstdMagic, Uint8Array.of(0, (10 << 3) | 3), new Uint8Array(20));
    expect(zstdWindow(bytesOf(frame))).toBe((1 << 20) + 3 * (1 << 17));
    expect(zstdWindow(bytesOf(frame.subarray(0, 10)))).toBeUndefined();
    expect(zstdWindow(bytesOf(concat(skippable(4), frame)))).toBeUndefined();
  });
});
