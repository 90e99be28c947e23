/** What a file is: statx(2). */
import { EACCES, EFBIG, ENOENT, ENOTDIR, EPERM, errnoName, errnoText } from "../errno.ts";
import { cannot, type KexecError } from "../errors.ts";
import { nameText } from "../name-bytes.ts";
import {
  AT_FDCWD,
  callThroughSignals,
  close,
  cString,
  ioError,
  O_RDONLY,
  open,
  readNames,
} from "./descriptor.ts";

/** What statx(2) tells of an open file. */
export interface FileStatus {
  readonly type: FileType;
  /** Permission bits, 0 to 0o7777. */
  readonly mode: number;
  readonly uid: number;
  /** Bytes. */
  readonly size: number;
  /** `major:minor` of the file system, and the inode: together they name the file. */
  readonly device: string;
  readonly inode: bigint;
}

export type FileType =
  | "regular file"
  | "directory"
  | "character device"
  | "block device"
  | "FIFO"
  | "socket"
  | "symbolic link"
  | "unknown kind of file";

// S_IFMT and its values, include/uapi/linux/stat.h
const S_IFMT = 0o170000;
const fileTypes: ReadonlyMap<number, FileType> = new Map([
  [0o010000, "FIFO"],
  [0o020000, "character device"],
  [0o040000, "directory"],
  [0o060000, "block device"],
  [0o100000, "regular file"],
  [0o120000, "symbolic link"],
  [0o140000, "socket"],
]);

// struct statx is the same on every architecture: include/uapi/linux/stat.h
const STATX_SIZE = 256;
const STATX_BASIC_STATS = 0x7ff;
/** Linux 5.8. */
const STATX_MNT_ID = 0x1000;
const AT_EMPTY_PATH = 0x1000;
const STATX = {
  ...{ mask: 0, uid: 20, mode: 28, ino: 32, size: 40, changed: 96, modified: 112 },
  ...{ rdevMajor: 128, rdevMinor: 132, devMajor: 136, devMinor: 140, mount: 144 },
} as const;

function rawStatx(fd: number, path: Uint8Array, flags: number): DataView | number {
  const buffer = new Uint8Array(STATX_SIZE);
  const mask = STATX_BASIC_STATS | STATX_MNT_ID;
  const result = callThroughSignals("statx", fd, path, flags, mask, buffer);
  return result < 0 ? result : new DataView(buffer.buffer);
}

function statx(fd: number, path: Uint8Array, flags: number): FileStatus | number {
  const view = rawStatx(fd, path, flags);
  if (typeof view === "number") return view;
  const mode = view.getUint16(STATX.mode, true);
  return {
    type: fileTypes.get(mode & S_IFMT) ?? "unknown kind of file",
    mode: mode & 0o7777,
    uid: view.getUint32(STATX.uid, true),
    size: Number(view.getBigUint64(STATX.size, true)),
    device: `${view.getUint32(STATX.devMajor, true)}:${view.getUint32(STATX.devMinor, true)}`,
    inode: view.getBigUint64(STATX.ino, true),
  };
}

/**
 * What changes when an open file's content does: its size, and when content and status were last
 * changed, in nanoseconds as far as the file system tells them. -errno where it cannot be told.
 */
export function versionOf(fd: number): string | number {
  const view = rawStatx(fd, cString(""), AT_EMPTY_PATH);
  if (typeof view === "number") return view;
  const time = (at: number) => `${view.getBigInt64(at, true)}.${view.getUint32(at + 8, true)}`;
  const size = view.getBigUint64(STATX.size, true);
  return `${size} ${time(STATX.modified)} ${time(STATX.changed)}`;
}

/** The id that /proc/self/mountinfo has for the mount of an open file; undefined before Linux 5.8. */
export function mountIdOf(fd: number): number | undefined {
  const view = rawStatx(fd, cString(""), AT_EMPTY_PATH);
  if (typeof view === "number" || (view.getUint32(STATX.mask, true) & STATX_MNT_ID) === 0) {
    return undefined;
  }
  return Number(view.getBigUint64(STATX.mount, true));
}

/** Status of an open file, or -errno. */
export function statusOf(fd: number): FileStatus | number {
  return statx(fd, cString(""), AT_EMPTY_PATH);
}

/** Status of what `path` names, symbolic links followed, or -errno. */
export function statusOfPath(path: string): FileStatus | number {
  return statx(AT_FDCWD, cString(path), 0);
}

/** `major:minor` of the block device that `path` names; undefined where it names none. */
export function deviceNumberOf(path: string): string | undefined {
  const view = rawStatx(AT_FDCWD, cString(path), 0);
  if (typeof view === "number") return undefined;
  if (fileTypes.get(view.getUint16(STATX.mode, true) & S_IFMT) !== "block device") return undefined;
  return `${view.getUint32(STATX.rdevMajor, true)}:${view.getUint32(STATX.rdevMinor, true)}`;
}

/** Whether something is at `path`, symbolic links followed. What cannot be looked at is not. */
export function exists(path: string): boolean {
  return typeof statusOfPath(path) !== "number";
}

/** Whether `path` is a directory, symbolic links followed. */
export function isDirectory(path: string): boolean {
  const status = statusOfPath(path);
  return typeof status !== "number" && status.type === "directory";
}

/** The target of a symbolic link, or -errno. */
export function readLink(path: string): string | number {
  const buffer = new Uint8Array(4096); // PATH_MAX, include/uapi/linux/limits.h
  const length = callThroughSignals(
    "readlinkat",
    AT_FDCWD,
    cString(path),
    buffer,
    buffer.byteLength,
  );
  return length < 0 ? length : nameText(buffer.subarray(0, length));
}

/** The last name of a link's target, or undefined where there is no link. */
export function linkedName(path: string): string | undefined {
  const target = readLink(path);
  return typeof target === "string" ? target.slice(target.lastIndexOf("/") + 1) : undefined;
}

/** Whether `path`, or a folder on the way to it, is a link whose target does not exist. */
export function leadsNowhere(path: string): boolean {
  for (let end = path.indexOf("/", 1); ; end = path.indexOf("/", end + 1)) {
    const way = end < 0 ? path : path.slice(0, end);
    const target = readLink(way);
    if (typeof target === "string" && !exists(way)) return true;
    // There is nothing, and so nothing below it.
    if (end < 0 || target === -ENOENT) return false;
  }
}

/** What cannot be done, in words. A file of which only the content tells what it is has no part: `""`. */
export function toOpen(what: string, path: string): string {
  return what === "" ? `open ${path}` : `open the ${what} ${path}`;
}

export function toUse(path: string, what: string): string {
  return what === "" ? `use ${path}` : `use ${path} as the ${what}`;
}

/** What to give instead of a directory or a device. */
export function fileItself(what: string): string {
  return `give the path of the ${what === "" ? "" : `${what} `}file itself`;
}

/**
 * Why `path` could not be opened; `what` names its part in the message.
 * @param asNamed It is as somebody wrote it: names like it are looked for. A menu may ask for many that are not there.
 */
export function openError(path: string, what: string, errno: number, asNamed = false): KexecError {
  const name = errnoName(errno);
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return cannot(
        toOpen(what, path),
        {
          code: "file-not-found",
          why: errno === ENOENT ? "no such file" : "a part of its path is not a directory",
          hint: missingHint(path, asNamed),
        },
        { errno: name, details: { path } },
      );
    case EACCES:
    case EPERM:
      return cannot(
        toOpen(what, path),
        {
          code: "file-unreadable",
          why: "no permission to read it",
          hint: "run as root, or as a user that may read the file",
        },
        { errno: name, details: { path } },
      );
    case EFBIG:
      return cannot(
        toOpen(what, path),
        { code: "file-too-large", why: "the file is too large" },
        { errno: name, details: { path } },
      );
    case 6: // ENXIO: a socket, or a device without a driver
    case 19: // ENODEV
      return cannot(
        toUse(path, what),
        {
          code: "not-a-regular-file",
          details: { path },
          why: "it is not a regular file",
          hint: fileItself(what),
        },
        { errno: name, details: { path } },
      );
    case 36: // ENAMETOOLONG
    case 40: // ELOOP
      return cannot(
        toOpen(what, path.slice(0, 200)),
        { code: "file-not-found", why: errnoText(errno).toLowerCase() },
        { errno: name, details: { path } },
      );
    default:
      return ioError(toOpen(what, path), errno, path);
  }
}

/** Says where the path breaks off, so that an unmounted file system shows. */
function missingHint(path: string, asNamed: boolean): string {
  // What the runtime makes of an argument's bytes that are no UTF-8.
  if (path.includes("\ufffd")) {
    return "the path as it was given is not valid UTF-8, and such a path is not taken: rename the file, or a folder on its way";
  }
  const target = readLink(path);
  if (typeof target === "string") {
    return `it is a symbolic link to ${target}${target.startsWith("/") ? ": is the file system with that mounted?" : ""}`;
  }
  const folder = folderOf(path);
  const status = statusOfPath(folder);
  if (typeof status !== "number") {
    if (status.type !== "directory") return `${folder} is a ${status.type}`;
    const begin = asNamed ? path.slice(path.lastIndexOf("/") + 1) : "";
    const [first, ...more] = namesLike(begin, folder);
    return first === undefined
      ? `the directory ${folder} exists: check the file name`
      : `give the whole name: ${folder} has ${[first, ...more].join(", ")}`;
  }
  // A mount point without its file system is a directory with nothing in it.
  let nearest = folder;
  while (nearest !== "/" && nearest !== "." && !exists(nearest)) nearest = folderOf(nearest);
  const missing = `the directory ${folder} does not exist either`;
  return isMountPoint(nearest) ? `${missing}: is the file system of ${nearest} mounted?` : missing;
}

/** Names that a hint tells, and that are looked through for them. */
const namesToTell = 3;
const mostNames = 4096;

/** Names in a folder that go on behind `begin`, as `vmlinuz-6.12` behind `vmlinuz`: the highest first. */
function namesLike(begin: string, folder: string): readonly string[] {
  const fd = begin === "" ? -ENOENT : open(`${folder}/.`, O_RDONLY);
  if (fd < 0) return [];
  const names = readNames(fd, mostNames);
  close(fd);
  if (typeof names === "number") return [];
  const order = new Intl.Collator("en", { numeric: true });
  return names
    .filter((name) => name.startsWith(begin))
    .sort((a, b) => order.compare(b, a))
    .slice(0, namesToTell);
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".";
}

/** Where people mount what they boot from. */
function isMountPoint(folder: string): boolean {
  if (!/^\/(?:boot|efi|mnt|media|run\/media|esp|sysroot)(?:\/|$)/.test(folder)) return false;
  const status = statusOfPath(folder);
  return typeof status !== "number" && status.type === "directory";
}
