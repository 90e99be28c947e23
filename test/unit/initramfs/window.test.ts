import { describe, expect, test } from "bun:test";
import { type ByteSource, bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { readFraming } from "../../../src/initramfs/framing.ts";
import { unpackedSize } from "../../../src/initramfs/size/unpacked.ts";
import { Window } from "../../../src/initramfs/window.ts";
import { seeded } from "../fuzz.ts";
import { makeXz } from "./xz.ts";

function counting(bytes: Uint8Array) {
  const source = bytesOf(bytes);
  const cost = { bytes: 0, reads: 0 };
  const counted: ByteSource = {
    size: source.size,
    read(offset, length) {
      cost.bytes += length;
      cost.reads += 1;
      return source.read(offset, length);
    },
  };
  return { source: counted, cost };
}

describe("what a walk over the headers of a plain archive reads", () => {
  for (const [name, size, most] of [
    ["empty files: the archive once or twice", 0, 2],
    ["files of a page: some headers at a time", 4096, 2],
    ["files of 30 KiB: the headers alone", 30 << 10, 0.02],
    ["files of 1 MiB: the headers alone", 1 << 20, 0.002],
  ] as const) {
    test(name, () => {
      const count = Math.max(20, Math.min(4000, Math.floor((32 << 20) / (size + 1))));
      const data = new Uint8Array(size).fill(7);
      const archive = encodeArchive(
        Array.from({ length: count }, (_, index) => ({ type: "file", path: `f${index}`, data })),
      );
      for (const walk of [readFraming, unpackedSize]) {
        const { source, cost } = counting(archive);
        walk(source);
        expect(cost.bytes).toBeLessThan(archive.length * most + 4096);
      }
    });
  }

  test("zeros between archives are read in large pieces", () => {
    const { source, cost } = counting(new Uint8Array(16 << 20));
    expect(new Window(source, source.size).skipZeros(3)).toBe(16 << 20);
    expect(cost.reads).toBeLessThan(300);
  });
});

/** Some bytes, and zeros without end behind them, as in a sparse file. */
function sparse(bytes: Uint8Array, size: number) {
  const cost = { bytes: 0 };
  const source: ByteSource = {
    size,
    read(offset, length) {
      cost.bytes += length;
      const read = new Uint8Array(length);
      read.set(bytes.subarray(offset, offset + length).subarray(0, length));
      return read;
    },
  };
  return { source, cost };
}

test("many xz streams in front of many zeros are read once, and the zeros twice", () => {
  const one = makeXz([]);
  const streams = new Uint8Array(one.length * 2000);
  for (let index = 0; index < 2000; index++) streams.set(one, index * one.length);
  const { source, cost } = sparse(streams, 256 << 20);
  expect(readFraming(source)).toMatchObject({ fault: undefined, nothing: false });
  expect(cost.bytes).toBeLessThan(2.1 * source.size);
});

test("what pretends to be a footer costs one read of the file, whatever the number of streams", () => {
  // Each stream holds two footers whose index is as long as an index may be
  const footer = makeXz([]).slice(-12);
  const size = new DataView(footer.buffer);
  size.setUint32(4, (1 << 20) - 1, true);
  size.setUint32(0, Bun.hash.crc32(footer.subarray(4, 10)), true);
  const stream = makeXz([Buffer.concat([footer, footer])]);
  const zeros = new Uint8Array(5 << 20);
  const { source, cost } = counting(Buffer.concat([zeros, ...Array(50).fill(stream)]));
  readFraming(source);
  expect(cost.bytes).toBeLessThan(8 * source.size);
});

test("zeros are skipped to the first byte that is none, wherever the window lies", () => {
  const random = seeded(5);
  for (let round = 0; round < 300; round++) {
    const size = random.below(3000) + 1;
    const bytes = new Uint8Array(size);
    for (let count = random.below(4); count > 0; count--) bytes[random.below(size)] = 1;
    const end = random.below(size + 1);
    const window = new Window(bytesOf(bytes), end);
    for (let probe = 0; probe < 10; probe++) {
      const at = random.below(size + 1);
      const found = bytes.subarray(0, end).findIndex((byte, index) => index >= at && byte !== 0);
      if (random.below(2) === 1) window.read(random.below(size), random.below(400));
      expect(window.skipZeros(at)).toBe(found < 0 ? end : found);
    }
  }
});
