/**
 * Compression formats, recognised by magic: of compressed kernels and of
 * initramfs archives.
 */

import { type ByteSource, fieldsOf, hasMagic, isWithin, magicOf } from "./bytes.ts";

/** `lz4` is the frame format, `lz4-legacy` the one that kernels are built with. */
export type Compression = "gzip" | "zstd" | "xz" | "lz4-legacy" | "lz4" | "bzip2" | "lzma" | "lzo";

// lib/decompress.c; lz4 frame: lz4_Frame_format.md; zstd: RFC 8878; gzip: RFC 1952.
const zstdMagic = [0x28, 0xb5, 0x2f, 0xfd];
const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", zstdMagic],
  ["xz", [0xfd, ...magicOf("7zXZ"), 0x00]],
  ["lz4-legacy", [0x02, 0x21, 0x4c, 0x18]],
  ["lz4", [0x04, 0x22, 0x4d, 0x18]],
  ["bzip2", magicOf("BZh")],
  // One byte of properties as every encoder writes it, then a dictionary of whole 64 KiB.
  ["lzma", [0x5d, 0x00, 0x00]],
  ["lzo", [0x89, ...magicOf("LZO"), 0x00, 0x0d, 0x0a, 0x1a, 0x0a]],
];

const longestMagic = 9;
const skippableHeader = 8;
/** With a dictionary's number and a content size of 8 bytes; a block follows every header. */
const longestZstdHeader = 4 + 1 + 4 + 8;
const mostSkippable = 16;

/**
 * The format of the compressed stream at `offset`; undefined when there is none.
 * Skippable frames (RFC 8878, 3.1.2), which zstd and lz4 share, are stepped over.
 */
export function readCompression(source: ByteSource, offset = 0): Compression | undefined {
  let at = offset;
  for (let frames = 0; frames <= mostSkippable; frames++) {
    if (!isWithin(source.size, at, 0)) return undefined;
    const bytes = source.read(at, Math.min(longestMagic, source.size - at));
    const found = magics.find(([, magic]) => hasMagic(bytes, 0, magic));
    if (found !== undefined) {
      const [name] = found;
      return at === offset || name === "zstd" || name === "lz4" ? name : undefined;
    }
    if (bytes.length < skippableHeader) return undefined;
    const header = fieldsOf(bytes);
    // 0x184D2A50 to 0x184D2A5F.
    if (header.u32(0) >>> 4 !== 0x184d2a5) return undefined;
    at += skippableHeader + header.u32(4);
  }
  return undefined;
}

/** Whether the beginning of a stream may belong to a compressed one: a skippable frame may be all there is of it yet. */
export function mayBeCompressed(beginning: ByteSource): boolean {
  const bytes = beginning.read(0, Math.min(4, beginning.size));
  const skippable = bytes.length === 4 && fieldsOf(bytes).u32(0) >>> 4 === 0x184d2a5;
  return skippable || readCompression(beginning) !== undefined;
}

/**
 * Bytes of its own output that a decoder must keep for the first zstd frame of a stream: RFC 8878,
 * 3.1.1.1. Undefined where no such frame begins the stream.
 */
export function zstdWindow(source: ByteSource): number | undefined {
  const bytes = source.read(0, Math.min(longestZstdHeader, source.size));
  if (bytes.length < longestZstdHeader || !hasMagic(bytes, 0, zstdMagic)) return undefined;
  const header = fieldsOf(bytes);
  const descriptor = header.u8(4);
  if ((descriptor & 0x20) === 0) {
    const window = header.u8(5);
    const base = 2 ** (10 + (window >> 3));
    return base + (base / 8) * (window & 7);
  }
  // A single segment: all of it, as long as the header says, behind the dictionary's number.
  const at = 5 + ([0, 1, 2, 4][descriptor & 3] ?? 0);
  const sizes = [header.u8, (at: number) => header.u16(at) + 256, header.u32, header.u64];
  return Number(sizes[descriptor >> 6]?.(at));
}
