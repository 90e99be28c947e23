import { describe, expect, test } from "bun:test";
import { type ByteSource, bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { readFraming } from "../../../src/initramfs/framing.ts";
import { unpackedSize } from "../../../src/initramfs/size/unpacked.ts";
import { Window } from "../../../src/initramfs/window.ts";
import { seeded } from "../fuzz.ts";

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
