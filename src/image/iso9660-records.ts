/** The records of one directory: ECMA-119, 9.1, with Rock Ridge's or Joliet's names. */

import { fieldsOf } from "./bytes.ts";
import { type Extent, sectorSize, ucs2, withoutControls } from "./iso9660.ts";
import { type Continuation, readRockRidge, skippedBytes } from "./iso9660-rock-ridge.ts";

/** Whose names a tree has: `plain` ones are ECMA-119's own, in capitals. */
export type IsoNames = "rock-ridge" | "joliet" | "plain";

export interface IsoNode {
  /** Without its version number, slashes and control characters. */
  readonly name: string;
  readonly type: "file" | "directory" | "symlink" | "other";
  /** Where the bytes lie; ranges that touch are one. */
  readonly extents: readonly Extent[];
  readonly size: number;
  readonly target: string | undefined;
  /** Its bytes are compressed by zisofs. */
  readonly compressed: boolean;
}

/** How the records of a tree are read. */
export interface RecordRules {
  readonly names: IsoNames;
  readonly blockSize: number;
  /** Bytes of a system use area that are not Rock Ridge's. */
  readonly skipped: number;
  readonly continuation: Continuation;
  /** Throws: the rule that is broken. */
  readonly refuse: (rule: string) => never;
}

// Clause 9.1.6
const DIRECTORY = 2;
const ASSOCIATED = 4;
const MULTI_EXTENT = 0x80;
/** Bytes of a record before its name. */
const fixedSize = 33;

// include/uapi/linux/stat.h
const S_IFMT = 0o170000;
const S_IFREG = 0o100000;

/** The first record of a directory is its own: `.` */
export function ownRecord(directory: Uint8Array): Extent & { readonly systemUse: Uint8Array } {
  const length = directory[0] ?? 0;
  if (length < fixedSize + 1 || length > directory.length) {
    return { offset: 0, length: 0, systemUse: new Uint8Array() };
  }
  const record = directory.subarray(0, length);
  const fields = fieldsOf(record);
  return { offset: fields.u32(2), length: fields.u32(10), systemUse: systemUseOf(record) };
}

/** Whether Rock Ridge is used, by the first record of the root: the bytes that its areas skip. */
export function rockRidgeOf(root: Uint8Array): number | undefined {
  return skippedBytes(ownRecord(root).systemUse);
}

/** The names in a directory, without `.` and `..`. */
export function* directoryNodes(directory: Uint8Array, rules: RecordRules): Generator<IsoNode> {
  let pending: { readonly name: string; readonly extents: Extent[] } | undefined;
  for (const record of recordsIn(directory, rules.refuse)) {
    const fields = fieldsOf(record);
    const flags = fields.u8(25);
    const nameLength = fields.u8(32);
    const isSelfOrParent = nameLength === 1 && fields.u8(33) <= 1;
    if (isSelfOrParent || (flags & ASSOCIATED) !== 0) continue;
    if (fields.u8(26) !== 0 || fields.u8(27) !== 0) rules.refuse("a file is interleaved");
    // An extended attribute record lies before the data: 9.1.2.
    const extent = {
      offset: (fields.u32(2) + fields.u8(1)) * rules.blockSize,
      length: fields.u32(10),
    };
    const named = nameOf(record, nameLength, rules);
    if (named === undefined) continue;
    const [name, rock] = named;
    if (pending !== undefined && pending.name !== name) {
      rules.refuse("a file of several extents has no last one");
    }
    const extents: Extent[] = pending?.extents ?? [];
    addExtent(extents, extent);
    if ((flags & MULTI_EXTENT) !== 0) {
      pending = { name, extents };
      continue;
    }
    pending = undefined;
    const size = extents.reduce((sum, { length }) => sum + length, 0);
    if (!Number.isSafeInteger(size)) rules.refuse("a file is absurdly large");
    const isDirectory = (flags & DIRECTORY) !== 0 || rock?.child !== undefined;
    yield {
      name,
      type: typeOf(isDirectory, rock),
      extents:
        rock?.child === undefined ? extents : [{ offset: rock.child * rules.blockSize, length: 0 }],
      size,
      target: rock?.target,
      compressed: rock?.compressed ?? false,
    };
  }
  if (pending !== undefined) rules.refuse("a file of several extents has no last one");
}

function typeOf(
  isDirectory: boolean,
  rock: { readonly mode: number | undefined; readonly target: string | undefined } | undefined,
): IsoNode["type"] {
  if (isDirectory) return "directory";
  if (rock?.target !== undefined) return "symlink";
  return rock?.mode === undefined || (rock.mode & S_IFMT) === S_IFREG ? "file" : "other";
}

function addExtent(extents: Extent[], extent: Extent): void {
  const last = extents.at(-1);
  if (last !== undefined && last.offset + last.length === extent.offset) {
    extents[extents.length - 1] = { offset: last.offset, length: last.length + extent.length };
  } else {
    extents.push(extent);
  }
}

/** A record does not cross the end of a sector; a length of 0 leaves the rest of it out: 6.8.1.1. */
function* recordsIn(
  directory: Uint8Array,
  refuse: (rule: string) => never,
): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < directory.length; ) {
    const length = directory[at] ?? 0;
    const sectorEnd = Math.min(directory.length, (Math.floor(at / sectorSize) + 1) * sectorSize);
    if (length === 0) {
      at = sectorEnd;
      continue;
    }
    const nameLength = directory[at + fixedSize - 1] ?? 0;
    if (length < fixedSize + nameLength || nameLength === 0 || at + length > sectorEnd) {
      refuse("a directory record has an impossible length");
    }
    yield directory.subarray(at, at + length);
    at += length;
  }
}

function systemUseOf(record: Uint8Array): Uint8Array {
  const nameLength = record[fixedSize - 1] ?? 0;
  // Padded to an even length: 9.1.12.
  return record.subarray(fixedSize + nameLength + (nameLength % 2 === 0 ? 1 : 0));
}

/** Undefined: a directory that is shown elsewhere, or a name that nothing could name. */
function nameOf(record: Uint8Array, length: number, rules: RecordRules) {
  const bytes = record.subarray(fixedSize, fixedSize + length);
  const rock =
    rules.names === "rock-ridge"
      ? readRockRidge(systemUseOf(record).subarray(rules.skipped), rules.continuation, rules.refuse)
      : undefined;
  if (rock?.relocated === true) return undefined;
  const name = rock?.name ?? (rules.names === "joliet" ? jolietName(bytes) : plainName(bytes));
  const usable = name !== "" && name !== "." && name !== ".." && !/[/\x00-\x1f\x7f]/.test(name);
  return usable ? ([name, rock] as const) : undefined;
}

function jolietName(bytes: Uint8Array): string {
  return ucs2(bytes).replace(/;\d*$/, "");
}

/**
 * As Linux shows it, map=normal: isofs_name_translate of fs/isofs/dir.c. Of several versions the
 * highest comes first, and counts: ECMA-119, 9.3.
 */
function plainName(bytes: Uint8Array): string {
  const name = withoutControls(new TextDecoder("latin1").decode(bytes));
  return name
    .replace(/\.?;\d*$/, "")
    .replace(/[/;]/g, ".")
    .toLowerCase();
}
