/** An xz stream from its footer and index backwards: The .xz File Format 1.2.1, section 2. */
import { fieldsOf, hasMagic, magicOf } from "../image/bytes.ts";
import type { Walked } from "./walked.ts";
import type { Window } from "./window.ts";

const headerSize = 12;
const footerSize = 12;
const footerMagic = magicOf("YZ");
/** Bytes of an index: some hundred thousand blocks. */
const longestIndex = 4 << 20;
/** Bytes that are looked through for a footer at once: first, and at most. */
const fewest = 256;
const scanned = 64 << 10;

/**
 * Finds the end of the stream at `start`: where the initramfs ends, as a rule; else it is looked for,
 * which reads each byte once. Of several streams the kernel takes one after the other, as this does.
 */
export function walkXz(window: Window, start: number): Walked {
  const header = window.read(start, headerSize);
  if (header.length < headerSize) {
    return { kind: "cut", at: start, why: "ends inside the header of its xz archive" };
  }
  const flags = header.subarray(6, 8);
  if (crcOf(flags) !== fieldsOf(header).u32(8)) {
    return { kind: "broken", at: start, why: "has a damaged header of an xz archive" };
  }
  const check = (flags[1] ?? 0) & 0x0f;
  // Documentation/staging/xz.rst: CRC32 or none.
  const doubt =
    check > 1
      ? "its xz archive has a check that the kernel does not take: xz --check=crc32"
      : undefined;
  const sizes = { unpacked: 0 };
  const end = endOfStream(window, start, flags, sizes);
  if (end !== undefined) return { end, unpacked: sizes.unpacked, doubt };
  return {
    kind: "cut",
    at: window.end,
    why: "ends before the index and footer of its xz archive",
  };
}

/** What several streams of one file share. */
interface Shared {
  /** The stream that ends where the file does; undefined where none does. */
  readonly tail: Stream | undefined;
  /** Bytes of indexes that may still be read for what only pretends to be a footer. */
  bytes: number;
}

/** A stream as its footer and its index tell. */
interface Stream {
  readonly begin: number;
  readonly end: number;
  readonly flags: Uint8Array;
  readonly unpacked: number;
}

const shared = new WeakMap<Window, Shared>();

function sharedOf(window: Window): Shared {
  const known = shared.get(window);
  if (known !== undefined) return known;
  const once = { bytes: longestIndex };
  const made = { tail: streamTo(window, window.behindLast(), once), bytes: window.end };
  made.bytes += longestIndex;
  shared.set(window, made);
  return made;
}

function endOfStream(
  window: Window,
  start: number,
  flags: Uint8Array,
  sizes: { unpacked: number },
): number | undefined {
  const common = sharedOf(window);
  const fits = (stream: Stream | undefined): stream is Stream =>
    stream?.begin === start && stream.flags[0] === flags[0] && stream.flags[1] === flags[1];
  if (fits(common.tail)) {
    sizes.unpacked = common.tail.unpacked;
    return common.tail.end;
  }
  // Only now: it costs a read of everything. Most streams that others follow are short.
  let length = fewest;
  for (let at = start + headerSize; at < window.end; at += length) {
    length = Math.min(scanned, length * 2);
    const bytes = window.read(at, length + footerMagic.length - 1);
    for (
      let found = bytes.indexOf(0x59);
      found >= 0 && found < length;
      found = bytes.indexOf(0x59, found + 1)
    ) {
      const end = at + found + footerMagic.length;
      if ((end - start) % 4 !== 0 || bytes[found + 1] !== 0x5a) continue;
      const stream = streamTo(window, end, common);
      if (fits(stream)) {
        sizes.unpacked = stream.unpacked;
        return end;
      }
      if (common.bytes < 0) return undefined;
    }
  }
  return undefined;
}

/** The stream that ends at `end`, by its footer and its index. */
function streamTo(window: Window, end: number, budget: { bytes: number }): Stream | undefined {
  if (end < headerSize + footerSize) return undefined;
  const footer = window.read(end - footerSize, footerSize).slice();
  const fields = fieldsOf(footer);
  if (!hasMagic(footer, 10, footerMagic) || crcOf(footer.subarray(4, 10)) !== fields.u32(0)) {
    return undefined;
  }
  const indexSize = indexSizeOf(footer);
  const indexAt = end - footerSize - indexSize;
  if (indexSize > longestIndex || indexAt < headerSize) return undefined;
  budget.bytes -= indexSize;
  const index = window.read(indexAt, indexSize);
  if (crcOf(index.subarray(0, -4)) !== fieldsOf(index).u32(indexSize - 4)) return undefined;
  const blocks = blocksOf(index);
  if (blocks === undefined || !Number.isSafeInteger(blocks.size)) return undefined;
  const begin = indexAt - blocks.size - headerSize;
  return { begin, end, flags: footer.subarray(8, 10), unpacked: blocks.unpacked };
}

/** Backward Size: section 2.1.2.2. */
export function indexSizeOf(footer: Uint8Array): number {
  return (fieldsOf(footer).u32(4) + 1) * 4;
}

/**
 * Bytes of all blocks that an index lists, and what they unpack to: section 4. Either is NaN, or no safe
 * integer, where the index is not one.
 */
export function blocksOf(
  index: Uint8Array,
): { readonly size: number; readonly unpacked: number } | undefined {
  let at = 1;
  const next = (): number => {
    let value = 0;
    for (let shift = 0; shift < 9; shift++) {
      const byte = index[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if ((byte & 0x80) === 0) return value;
    }
    return Number.NaN;
  };
  if (index[0] !== 0) return undefined;
  const records = next();
  // Each takes two bytes at least.
  if (!(records <= index.length / 2)) return undefined;
  let [size, unpacked] = [0, 0];
  for (let record = 0; record < records; record++) {
    size += Math.ceil(next() / 4) * 4;
    unpacked += next();
  }
  return { size, unpacked };
}

function crcOf(bytes: Uint8Array): number {
  return Bun.hash.crc32(bytes);
}
