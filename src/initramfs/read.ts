/**
 * Reader of plain newc archives, as strict as the kernel is lax: for looking
 * at an archive, not for unpacking it. One pass, one entry in memory; a step
 * reads at most a header and a name.
 */

import { KexecError } from "../errors.ts";
import { type ByteSource, isWithin } from "../image/bytes.ts";
import { headerLength, paddingAfter } from "./cpio.ts";

export type EntryType =
  | "file"
  | "directory"
  | "symlink"
  | "character-device"
  | "block-device"
  | "fifo"
  | "socket"
  | "none";

export interface ArchiveEntry {
  /** As stored, cut at the first NUL; not checked for `..` or control characters. */
  readonly path: string;
  readonly type: EntryType;
  /** Permission bits. */
  readonly mode: number;
  readonly inode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  /** Seconds since 1970. */
  readonly mtime: number;
  /** Device numbers of a device entry. */
  readonly major: number;
  readonly minor: number;
  /** Offset of the header in the source. */
  readonly offset: number;
  /** Where its data lies in the source; a link's target is its data. */
  readonly dataOffset: number;
  readonly size: number;
}

/** PATH_MAX, NUL included: do_header of init/initramfs.c skips an entry with a longer name. */
const maxNameSize = 4096;
/** Fields of eight hexadecimal digits after the magic: buffer-format.rst. */
const fieldCount = 13;

// include/uapi/linux/stat.h, S_IFMT.
const types: Readonly<Record<number, EntryType>> = {
  0o000000: "none",
  0o010000: "fifo",
  0o020000: "character-device",
  0o040000: "directory",
  0o060000: "block-device",
  0o100000: "file",
  0o120000: "symlink",
  0o140000: "socket",
};

/**
 * The entries of the archive at `start`, in order, without the trailer. The
 * generator returns the offset behind the trailer, zeros not counted.
 * @throws KexecError `malformed-input`: the archive breaks a rule, or ends without trailer.
 */
export function* archiveEntries(
  source: ByteSource,
  start = 0,
): Generator<ArchiveEntry, number, undefined> {
  let offset = start;
  for (;;) {
    const entry = readEntry(source, offset);
    const end = entry.dataOffset + entry.size;
    if (entry.path === "TRAILER!!!") return end;
    yield entry;
    // Header, name and data are padded to four, counted from the start of the archive.
    offset = end + paddingAfter(end - start);
  }
}

function readEntry(source: ByteSource, offset: number): ArchiveEntry {
  const refuse = (why: string) =>
    new KexecError("malformed-input", {
      message: `malformed initramfs archive: the entry at byte ${offset} ${why}`,
    });
  if (!isWithin(source.size, offset, headerLength)) throw refuse("has no whole header");
  const header = ascii(source.read(offset, headerLength));
  const magic = header.slice(0, 6);
  if (magic !== "070701" && magic !== "070702") throw refuse("has no newc magic");
  if (!/^[0-9a-fA-F]+$/.test(header)) throw refuse("has a field that is not a hexadecimal number");
  const fields = Array.from({ length: fieldCount }, (_, index) =>
    Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16),
  );
  const [inode = 0, bits = 0, uid = 0, gid = 0, links = 0, mtime = 0, size = 0] = fields;
  const [major = 0, minor = 0, nameSize = 0] = fields.slice(9);

  const type = types[bits & 0o170000];
  if (type === undefined) throw refuse("has an unknown file type");
  if (nameSize === 0 || nameSize > maxNameSize) throw refuse("has a name of impossible length");
  if (!isWithin(source.size, offset + headerLength, nameSize)) throw refuse("has no whole name");
  const name = source.read(offset + headerLength, nameSize);
  if (name[nameSize - 1] !== 0) throw refuse("has a name without its NUL");
  const path = new TextDecoder().decode(name.subarray(0, name.indexOf(0)));

  const used = headerLength + nameSize;
  const dataOffset = offset + used + paddingAfter(used);
  const data = path === "TRAILER!!!" ? Math.min(dataOffset, source.size) : dataOffset;
  if (!isWithin(source.size, data, size)) throw refuse("has data beyond the end");
  return {
    path,
    type,
    mode: bits & 0o7777,
    inode,
    uid,
    gid,
    links,
    mtime,
    major,
    minor,
    offset,
    dataOffset: data,
    size,
  };
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}
