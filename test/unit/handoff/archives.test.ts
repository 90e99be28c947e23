/** Gzip archives, whose ends show when they are unpacked: what that may cost. */
import { expect, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import { examineArchive, type OpenArchive } from "../../../src/handoff/stages/archives.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { processorTime } from "../fuzz.ts";

const followed = { followed: true, copied: true, lenient: false };
const gzip = Uint8Array.from(Bun.gzipSync(Uint8Array.from(encodeArchive([]))));

function archive(bytes: Uint8Array): OpenArchive & { readonly cost: { bytes: number } } {
  const { size, read } = bytesOf(bytes);
  const cost = { bytes: 0 };
  const counted = (offset: number, length: number) => {
    cost.bytes += length;
    return read(offset, length);
  };
  return { size, read: counted, canonicalPath: "initrd.img", cost };
}

test("what follows a gzip archive is seen, and what is junk is refused", async () => {
  const two = await examineArchive(archive(Buffer.concat([gzip, gzip])), followed);
  expect(two).toMatchObject({ problem: undefined, unchecked: undefined });
  const junk = await examineArchive(archive(Buffer.concat([gzip, Buffer.from("JUNK")])), followed);
  expect(junk.problem?.message).toContain("that the kernel does not unpack");
});

test("more gzip archives than any initramfs has are not looked for to the last", async () => {
  const many = archive(Buffer.concat(Array.from({ length: 20_000 }, () => gzip)));
  const examined = await examineArchive(many, followed);
  expect(examined).toMatchObject({ problem: undefined, unchecked: "gzip" });
  expect(many.cost.bytes).toBeLessThan(600 << 20);
});

test("gzip archives that unpack to more than 4 GiB in all are not unpacked further", async () => {
  // 64 MiB of zeros in 64 KB, a hundred times
  const zeros = new Uint8Array(64 << 20);
  const trailer = new Uint8Array(8);
  const view = new DataView(trailer.buffer);
  view.setUint32(0, Bun.hash.crc32(zeros), true);
  view.setUint32(4, zeros.length, true);
  const bomb = Buffer.concat([gzip.subarray(0, 10), deflateRawSync(zeros), trailer]);
  const bombs = archive(Buffer.concat(Array.from({ length: 100 }, () => bomb)));
  const begun = processorTime();
  const examined = await examineArchive(bombs, followed);
  expect(examined).toMatchObject({ problem: undefined, unchecked: "gzip" });
  expect(processorTime() - begun).toBeLessThan(20_000);
});
