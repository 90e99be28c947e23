/**
 * Writer of the cpio format that the kernel unpacks into its root file system
 * ("newc"): Documentation/driver-api/early-userspace/buffer-format.rst. Equal
 * entries give equal bytes: times are 0, inode numbers are counted.
 *
 * What the kernel cannot use it drops in silence (init/initramfs.c: do_header,
 * do_name): an entry with a bad name, or one whose parent does not exist. So
 * the writer refuses such names, and `parentDirectories` finds the parents.
 */
import {
  archivePath,
  headerLength,
  malformed,
  maxPathBytes,
  trailerName,
  utf8Length,
} from "./newc.ts";

export { archivePath, headerLength } from "./newc.ts";

/** What every entry has. */
interface Common {
  /** Absolute or relative to the root; stored without the leading slash. */
  readonly path: string;
  /** Permission bits, 0 to 0o7777. */
  readonly mode?: number;
  /** Owner and group; 0 unless given. */
  readonly uid?: number;
  readonly gid?: number;
}

/** A regular file; mode 0644 unless given. */
export interface CpioFile extends Common {
  readonly type: "file";
  readonly data: Uint8Array;
}

/**
 * A directory; mode 0755 unless given. Where it exists already, the kernel
 * resets its mode, owner and time (do_name); `./parents.ts` avoids that.
 */
export interface CpioDirectory extends Common {
  readonly type: "directory";
}

/** A symbolic link; it replaces a file, a link or an empty directory at its path. */
export interface CpioSymlink extends Common {
  readonly type: "symlink";
  readonly target: string;
}

/** A character device; mode 0600 unless given. */
export interface CpioCharacterDevice extends Common {
  readonly type: "character-device";
  readonly major: number;
  readonly minor: number;
}

/**
 * An entry without a file type: the kernel takes away a file, a link or an
 * empty directory that is at the path, and puts nothing there (clean_path with
 * mode 0). Other readers of cpio do not know it.
 */
export interface CpioRemoval {
  readonly type: "removal";
  readonly path: string;
}

export type CpioEntry = CpioFile | CpioDirectory | CpioSymlink | CpioCharacterDevice | CpioRemoval;

/** The same without a file's bytes, for which the size alone is given. */
export type CpioEntryHead = Omit<CpioFile, "data"> | Exclude<CpioEntry, CpioFile>;

/** Header fields are eight hexadecimal digits. */
const maxField = 0xffff_ffff;
/** usr/gen_init_cpio.c starts here too; any number will do, as no entry is a hard link. */
const firstInode = 721;

// include/uapi/linux/stat.h: S_IFREG, S_IFDIR, S_IFLNK, S_IFCHR.
const typeBits = {
  file: 0o100000,
  directory: 0o040000,
  symlink: 0o120000,
  "character-device": 0o020000,
  removal: 0,
} as const;
const defaultModes = {
  file: 0o644,
  directory: 0o755,
  symlink: 0o777,
  "character-device": 0o600,
  removal: 0,
} as const;

/** Zeros that follow `size` bytes of data to the next multiple of four. */
export function paddingAfter(size: number): number {
  return (4 - (size % 4)) % 4;
}

/**
 * What stands before an entry's data: header, name, padding. The caller adds
 * `size` bytes of data and `paddingAfter(size)` zeros. A link's target is its
 * data. For data that must not enter the memory of JavaScript.
 * @throws KexecError `malformed-input`: a path or number that the format cannot hold.
 */
export function entryHeader(entry: CpioEntryHead, size = 0, inode = firstInode): Uint8Array {
  const path = archivePath(entry.path);
  const owned = entry.type === "removal" ? undefined : entry;
  const permissions = field("mode", owned?.mode ?? defaultModes[entry.type], 0o7777);
  const device = entry.type === "character-device" ? entry : undefined;
  return rawHeader(path, {
    inode,
    mode: typeBits[entry.type] | permissions,
    uid: field("uid", owned?.uid ?? 0, maxField),
    gid: field("gid", owned?.gid ?? 0, maxField),
    // A number over 1 makes the kernel look for hard links, but not for directories (maybe_link).
    links: entry.type === "directory" ? 2 : 1,
    size: field("size", size, maxField),
    // include/linux/kdev_t.h: 12 and 20 bits.
    major: field("major", device?.major ?? 0, 0xfff),
    minor: field("minor", device?.minor ?? 0, 0xf_ffff),
  });
}

/** The entry that ends an archive. */
export function archiveTrailer(): Uint8Array {
  const zero = { inode: 0, mode: 0, uid: 0, gid: 0, size: 0, major: 0, minor: 0 };
  return rawHeader(trailerName, { ...zero, links: 1 });
}

/** Entries one after the other, piece by piece, without trailer; file data is not copied. */
export function* entryChunks(entries: Iterable<CpioEntry>): Generator<Uint8Array> {
  let inode = firstInode;
  for (const entry of entries) {
    const data = entryData(entry);
    yield entryHeader(entry, data.length, inode);
    if (data.length > 0) yield data;
    const padding = paddingAfter(data.length);
    if (padding > 0) yield new Uint8Array(padding);
    inode += 1;
  }
}

/** A whole archive, piece by piece, trailer included; file data is not copied. */
export function* archiveChunks(entries: Iterable<CpioEntry>): Generator<Uint8Array> {
  yield* entryChunks(entries);
  yield archiveTrailer();
}

/** A whole archive in one buffer, trailer included; its length is a multiple of four. */
export function encodeArchive(entries: Iterable<CpioEntry>): Uint8Array {
  const chunks = [...archiveChunks(entries)];
  const archive = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    archive.set(chunk, at);
    at += chunk.length;
  }
  return archive;
}

/**
 * The directories that the paths stand in and that are not among the paths:
 * each once, a parent before its children, without leading slash.
 */
export function parentDirectories(paths: Iterable<string>): string[] {
  const given = new Set([...paths].map(archivePath));
  const parents = new Set<string>();
  for (const path of given) {
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      const parent = path.slice(0, end);
      if (!given.has(parent)) parents.add(parent);
    }
  }
  return [...parents];
}

interface HeaderFields {
  readonly inode: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly links: number;
  readonly size: number;
  readonly major: number;
  readonly minor: number;
}

/**
 * The removal of what a path with `..` in it leads to; `entryHeader` refuses one.
 * Only for `./parents.ts`.
 */
export function removalOf(path: string): Uint8Array {
  const zero = { inode: firstInode, mode: 0, uid: 0, gid: 0, size: 0, major: 0, minor: 0 };
  return rawHeader(path, { ...zero, links: 1 });
}

function rawHeader(name: string, fields: HeaderFields): Uint8Array {
  const { inode, mode, uid, gid, links, size, major, minor } = fields;
  const bytes = new TextEncoder().encode(name);
  // In the order of buffer-format.rst: c_ino … c_chksum; c_mtime, c_maj, c_min and c_chksum are 0.
  const numbers = [inode, mode, uid, gid, links, 0, size, 0, 0, major, minor, bytes.length + 1, 0];
  const header = numbers.map((number) => number.toString(16).toUpperCase().padStart(8, "0"));
  const used = headerLength + bytes.length + 1;
  const buffer = new Uint8Array(used + paddingAfter(used));
  new TextEncoder().encodeInto(`070701${header.join("")}`, buffer);
  buffer.set(bytes, headerLength);
  return buffer;
}

function entryData(entry: CpioEntry): Uint8Array {
  if (entry.type === "file") return entry.data;
  if (entry.type !== "symlink") return new Uint8Array(0);
  const { target } = entry;
  const refuse = (why: string) => malformed(`invalid link target in an initramfs archive: ${why}`);
  if (target === "") throw refuse("it is empty");
  if (target.includes("\0")) throw refuse("it contains a NUL");
  if (!target.isWellFormed()) throw refuse("it is not valid Unicode");
  if (utf8Length(target) > maxPathBytes) throw refuse(`it is longer than ${maxPathBytes} bytes`);
  return new TextEncoder().encode(target);
}

function field(name: string, value: number, max: number): number {
  if (Number.isInteger(value) && value >= 0 && value <= max) return value;
  throw malformed(`invalid ${name} in an initramfs archive: ${value} is not within 0 and ${max}`);
}
