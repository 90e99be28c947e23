/** What each format says of the size that it unpacks to. Pure. */
import { fieldsOf, hasMagic, magicOf } from "../../image/bytes.ts";
import { headerLength } from "../cpio.ts";
import { blocksOf, indexSizeOf } from "../framing-xz.ts";
import type { Window } from "../window.ts";

/** Bytes. */
export interface Size {
  /** It has so many at least. */
  readonly least: number;
  /** So many as every writer of the format makes of it; undefined where nothing tells. */
  readonly likely: number | undefined;
}

const page = 4096;
/** An inode, a name and their like, in the kernel's own memory: some 1 KB a file. */
const perEntry = 1024;

const trailer = magicOf("TRAILER!!!");
const sizeField = 54;
const nameSizeField = 94;
/** Entries of a plain archive that are counted one by one. */
const mostEntries = 1_000_000;

/** A plain archive: its files, each in pages of its own (buffer-format.rst). */
export function newcSize(
  window: Window,
  start: number,
): Size & { readonly end: number | undefined } {
  let [least, likely, at] = [0, 0, start];
  for (let count = 0; count < mostEntries; count++) {
    const header = window.read(at, headerLength + trailer.length);
    const size = hexadecimal(header, sizeField);
    const nameSize = hexadecimal(header, nameSizeField);
    if (header[0] !== 0x30 || size === undefined || nameSize === undefined) break;
    const body = padded(at + headerLength + nameSize);
    const next = padded(body + size);
    if (next > window.end + 3) break;
    if (hasMagic(header, headerLength, trailer)) return { least, likely, end: next };
    least += size;
    likely += Math.ceil(size / page) * page + perEntry;
    at = window.skipZeros(next);
    if (at >= window.end || window.read(at, 1)[0] !== 0x30) return { least, likely, end: at };
  }
  return { least, likely, end: undefined };
}

/** The index lists each block: The .xz File Format 1.2.1, section 4. Its checksums were compared by the walk. */
export function xzSize(window: Window, start: number, end: number): Size {
  const footerSize = 12;
  const unknown = { least: end - start, likely: undefined };
  if (end - start < 2 * footerSize) return unknown;
  const indexSize = indexSizeOf(window.read(end - footerSize, footerSize));
  if (indexSize > end - start - 2 * footerSize) return unknown;
  const size = blocksOf(window.read(end - footerSize - indexSize, indexSize))?.unpacked;
  return Number.isSafeInteger(size) && size !== undefined ? { least: size, likely: size } : unknown;
}

const zstdMagic = 0xfd2fb528;
/** Block_Maximum_Size: RFC 8878, 3.1.1.2.4. */
const zstdBlock = 128 << 10;

/**
 * A frame's header may tell (RFC 8878, 3.1.1.1); what was compressed in a pipe, as mkinitramfs does it, does not
 * say. Then its blocks do: raw and repeated ones exactly, and every writer fills the others but for the last.
 */
export function zstdSize(window: Window, start: number, end: number): Size {
  let at = start;
  for (;;) {
    const header = window.read(at, 8);
    if (header.length < 8) return { least: 0, likely: undefined };
    const fields = fieldsOf(header);
    if (fields.u32(0) === zstdMagic) break;
    at += 8 + fields.u32(4);
    if (at >= end) return { least: 0, likely: undefined };
  }
  const descriptor = window.read(at + 4, 1)[0] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const kind = descriptor >> 6;
  const length = [single ? 1 : 0, 2, 4, 8][kind] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const sizeAt = at + 5 + (single ? 0 : 1) + dictionary;
  if (length > 0) {
    const bytes = window.read(sizeAt, length);
    let size = kind === 1 ? 256 : 0;
    for (const [index, byte] of bytes.entries()) size += byte * 256 ** index;
    return Number.isSafeInteger(size) && bytes.length === length
      ? { least: Math.min(size, end - start), likely: size }
      : { least: 0, likely: undefined };
  }
  let [least, likely] = [0, 0];
  for (at = sizeAt; at < end; ) {
    const [low = 0, middle = 0, high = 0] = window.read(at, 3);
    const header = low | (middle << 8) | (high << 16);
    const size = header >> 3;
    const type = (header >> 1) & 3;
    const isLast = (header & 1) !== 0;
    least += size;
    likely += type === 2 && !isLast ? zstdBlock : size;
    at += 3 + (type === 1 ? 1 : size);
    if (isLast) break;
  }
  return { least, likely: Math.max(least, likely) };
}

const lz4Magic = 0x184c2102;
/** LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE, lib/decompress_unlz4.c: `lz4 -l` fills each block but the last. */
const lz4Chunk = 8 << 20;

export function lz4Size(window: Window, start: number, end: number): Size {
  let [blocks, least, last] = [0, 0, 0];
  for (let at = start; at + 4 <= end; ) {
    const size = fieldsOf(window.read(at, 4)).u32(0);
    at += 4;
    if (size === lz4Magic) continue;
    if (size === 0) break;
    blocks++;
    least += size;
    last = size;
    at += size;
  }
  // The last one is as well packed as the others, as far as one sees.
  const full = (blocks - 1) * lz4Chunk;
  const ratio = least - last > 0 ? full / (least - last) : 2;
  return { least, likely: Math.max(least, full + Math.min(lz4Chunk, Math.ceil(last * ratio))) };
}

/** deflate makes nothing more than so many times smaller: RFC 1951, 3.2.5. */
const largestRatio = 1032;

/**
 * The last four bytes are the size, as far as 32 bits go, of the last member alone (RFC 1952, 2.3.1). So it counts
 * only where it can be that of all that there is.
 */
export function gzipSize(window: Window, start: number, end: number): Size {
  const to = lastByte(window, start, end);
  const packed = to - start;
  const least = Math.floor(packed * 0.99);
  // A size may end in zeros, which look like the padding behind it: the most usual ratio tells.
  const ends = end - to < 4 ? [end] : [to, to + 1, to + 2, to + 3];
  const usual = 3;
  const [likely] = ends
    .filter((place) => place - 4 > start)
    .map((place) => fieldsOf(window.read(place - 4, 4)).u32(0))
    .filter((size) => size >= least && size <= packed * largestRatio)
    .sort((one, other) => oddity(one / packed / usual) - oddity(other / packed / usual));
  return { least, likely };
}

function oddity(ratio: number): number {
  return Math.abs(Math.log(ratio));
}

/** The header of a .lzma file: properties, dictionary, and eight bytes of size, all ones where unknown. */
export function lzmaSize(window: Window, start: number, end: number): Size {
  const bytes = window.read(start + 5, 8);
  const unknown = { least: 0, likely: undefined };
  if (bytes.length < 8 || bytes.every((byte) => byte === 0xff)) return unknown;
  let size = 0;
  for (const [index, byte] of bytes.entries()) size += byte * 256 ** index;
  const plausible = Number.isSafeInteger(size) && size >= (end - start) / 2;
  return plausible ? { least: 0, likely: size } : unknown;
}

/** Behind the last byte that is not zero. */
function lastByte(window: Window, start: number, end: number): number {
  const step = 64 << 10;
  for (let to = end; to > start; to -= Math.min(step, to - start)) {
    const from = Math.max(start, to - step);
    const bytes = window.read(from, to - from);
    const found = bytes.findLastIndex((byte) => byte !== 0);
    if (found >= 0) return from + found + 1;
  }
  return start;
}

function padded(at: number): number {
  return Math.ceil(at / 4) * 4;
}

/** Eight hexadecimal digits. */
function hexadecimal(bytes: Uint8Array, offset: number): number | undefined {
  const digits = String.fromCharCode(...bytes.subarray(offset, offset + 8));
  return /^[0-9a-f]{8}$/i.test(digits) ? Number.parseInt(digits, 16) : undefined;
}
