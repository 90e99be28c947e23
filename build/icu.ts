/**
 * ICU's data without its languages.
 *
 * The runtime carries the collations, names and formats of all languages, eight of twelve megabytes
 * that compress no further. What code works by (normalisation, casing, breaks, IDN, time zones)
 * belongs to no language: it stays, and so do English and the root that everything falls back to, as
 * in builds of Node with small-icu. A language that is gone is answered in English.
 *
 * The format is ICU's "CmnD", source/common/ucmndata.h: a header, then a table of contents, whose
 * offsets count from the table's own begin.
 */

/** UDataInfo of the archive: magic, a size, little endian, ASCII, "CmnD" version 1. */
const mark = Uint8Array.fromHex("da271400000000000200436d6e4401000000");
/** The mark stands behind the header's size, 2 bytes. */
const sizeBytes = 2;
/** ICU looks for its items at multiples of 16 bytes. */
const itemUnit = 16;
const entrySize = 8;

/** What one place of a file holds, and what is to be there instead. */
export interface Reduction {
  /** Offset of the archive, and of the first byte behind it. */
  readonly start: number;
  readonly end: number;
  /** The archive in its place, shorter. */
  readonly archive: Uint8Array;
  readonly items: number;
  readonly kept: readonly string[];
}

export interface IcuItem {
  readonly name: string;
  /** With the padding behind it, but for the last one's. */
  readonly bytes: Uint8Array;
}

/**
 * Finds ICU's archive in `file` and makes the reduced one. Changes nothing.
 *
 * @throws Error where the archive is not the one this was written for.
 */
export function reduceIcu(file: Uint8Array): Reduction {
  const start = findArchive(file);
  const { header, items, end } = readIcu(file, start);
  const kept = items.filter(({ name }) => isKept(name));
  return {
    start,
    end,
    archive: writeArchive(header, kept),
    items: items.length,
    kept: kept.map(({ name }) => name),
  };
}

function findArchive(file: Uint8Array): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const first = bytes.indexOf(mark);
  if (first < sizeBytes) throw new Error("ICU's data is not in this runtime");
  if (bytes.indexOf(mark, first + 1) !== -1) {
    throw new Error("ICU's data is in this runtime more than once");
  }
  return first - sizeBytes;
}

/**
 * What the archive at `start` holds.
 *
 * @param knownEnd Where it ends; else its last item says so, which must be a zstd frame then.
 */
export function readIcu(
  file: Uint8Array,
  start: number,
  knownEnd?: number,
): { header: Uint8Array; items: IcuItem[]; end: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const header = file.subarray(start, start + view.getUint16(start, true));
  const table = start + header.length;
  const u32 = (at: number) => view.getUint32(at, true);
  const count = u32(table);
  if (count === 0 || table + 4 + count * entrySize > file.length) {
    throw new Error("ICU's table of contents is empty or longer than the file");
  }
  const entries = Array.from({ length: count }, (_, i) => table + 4 + i * entrySize).map((at) => ({
    name: u32(at),
    data: u32(at + 4),
  }));
  let before = { name: entries.length * entrySize, data: 0 };
  for (const entry of entries) {
    if (entry.name <= before.name || entry.data <= before.data || entry.data % itemUnit !== 0) {
      throw new Error("ICU's table of contents is not in order");
    }
    before = entry;
  }
  const first = entries[0];
  if (first === undefined || before.name >= first.data) {
    throw new Error("ICU's names reach into its data");
  }
  const end = knownEnd ?? frameEnd(file, table + before.data);
  const items = entries.map(({ name, data }, i) => {
    const next = entries[i + 1];
    const stop = next === undefined ? end : table + next.data;
    return { name: nameAt(file, table + name), bytes: file.subarray(table + data, stop) };
  });
  for (const [i, { name }] of items.entries()) {
    const last = items[i - 1];
    if (last !== undefined && last.name >= name) throw new Error("ICU's names are not in order");
  }
  return { header, items, end };
}

function nameAt(file: Uint8Array, at: number): string {
  const text = Buffer.from(file.subarray(at, file.indexOf(0, at))).toString("latin1");
  if (!/^icudt\d+l\/[\w/-]+\.[a-z]+$/.test(text)) {
    throw new Error(`ICU's table of contents names no item: ${JSON.stringify(text.slice(0, 80))}`);
  }
  return text;
}

/** Locales that stay, and what a folder of locales has beside them. */
const english = /^(root|en|en_US|en_US_POSIX|en_001|en_150|pool|res_index|supplementalData)$/;
/** A locale's file by its name, at the top, where other files stand as well. */
const locale = /^[a-z]{2,3}(_.*)?$/;

function isKept(item: string): boolean {
  const [, folder, stem = "", extension] = /^[^/]+\/(.+\/)?([^/]+)\.([a-z]+)$/.exec(item) ?? [];
  switch (extension) {
    case "nrm":
    case "icu":
      return true;
    case "brk":
      return folder === "brkitr/";
    case "res":
      return english.test(stem) || (folder === undefined && !locale.test(stem));
    default:
      return false;
  }
}

function writeArchive(header: Uint8Array, items: readonly IcuItem[]): Uint8Array {
  const names = items.map(({ name }) => Buffer.from(`${name}\0`, "latin1"));
  const namesStart = 4 + items.length * entrySize;
  const dataStart = namesStart + names.reduce((sum, one) => sum + one.length, 0);
  const unit = (value: number) => Math.ceil(value / itemUnit) * itemUnit;
  const size = items.reduce((sum, { bytes }) => unit(sum) + bytes.length, dataStart);

  const table = new Uint8Array(size);
  const view = new DataView(table.buffer);
  view.setUint32(0, items.length, true);
  let [name, data] = [namesStart, dataStart];
  for (const [i, { bytes }] of items.entries()) {
    data = unit(data);
    const text = names[i] ?? Buffer.alloc(0);
    view.setUint32(4 + i * entrySize, name, true);
    view.setUint32(4 + i * entrySize + 4, data, true);
    table.set(text, name);
    table.set(bytes, data);
    name += text.length;
    data += bytes.length;
  }
  // ICU's own offsets are relative, so that the table need not be where it was.
  return Uint8Array.from(Buffer.concat([header, table]));
}

/**
 * Where a zstd frame ends: the last item's length stands nowhere else.
 *
 * @see RFC 8878, 3.1.1
 */
export function frameEnd(file: Uint8Array, start: number): number {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (view.getUint32(start, true) !== 0xfd2fb528) {
    throw new Error("the last of ICU's items is no zstd frame");
  }
  const descriptor = view.getUint8(start + 4);
  const single = (descriptor & 0x20) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  let at = start + 5 + (single ? 0 : 1) + dictionary + contentSize;
  for (let last = false; !last; ) {
    const block = view.getUint16(at, true) | (view.getUint8(at + 2) << 16);
    last = (block & 1) !== 0;
    const type = (block >> 1) & 3;
    if (type === 3) throw new Error("the last of ICU's items has a block of a reserved type");
    // A block of one repeated byte holds that byte only.
    at += 3 + (type === 1 ? 1 : block >> 3);
  }
  const end = at + ((descriptor & 4) !== 0 ? 4 : 0);
  if (end > file.length) throw new Error("the last of ICU's items is longer than the file");
  return end;
}
