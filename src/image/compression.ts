/**
 * Compression formats, recognised by magic: of compressed kernels and of
 * initramfs archives.
 */

import { type ByteSource, fieldsOf, hasMagic, isWithin, magicOf } from "./bytes.ts";

/** `lz4` is the frame format, `lz4-legacy` the one that kernels are built with. */
export type Compression = "gzip" | "zstd" | "xz" | "lz4-legacy" | "lz4" | "bzip2" | "lzma" | "lzo";

// lib/decompress.c; lz4 frame: lz4_Frame_format.md; zstd: RFC 8878; gzip: RFC 1952.
const magics: readonly (readonly [Compression, readonly number[]])[] = [
  ["gzip", [0x1f, 0x8b]],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd]],
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
