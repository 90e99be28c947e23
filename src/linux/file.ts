/** Input files: opened once, checked, and from then on known by their descriptor only. */
import { KexecError } from "../errors.ts";
import {
  AT_FDCWD,
  callThroughSignals,
  close,
  cString,
  ioError,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  open,
  readAt,
} from "./descriptor.ts";
import { EACCES, EFBIG, ENOENT, ENOTDIR, EPERM, EXDEV, errnoName, errnoText } from "./errno.ts";
import { libc } from "./libc.ts";

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

// struct open_how and RESOLVE_*, include/uapi/linux/openat2.h
const OPEN_HOW_SIZE = 24;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_BENEATH = 8;
// include/uapi/linux/fadvise.h
const POSIX_FADV_WILLNEED = 3;
// include/uapi/asm-generic/fcntl.h
const O_PATH = 0o10000000;

// struct statx is the same on every architecture: include/uapi/linux/stat.h
const STATX_SIZE = 256;
const STATX_BASIC_STATS = 0x7ff;
const AT_EMPTY_PATH = 0x1000;
const STATX = { uid: 20, mode: 28, ino: 32, size: 40, devMajor: 136, devMinor: 140 } as const;

function statx(fd: number, path: Uint8Array, flags: number): FileStatus | number {
  const buffer = new Uint8Array(STATX_SIZE);
  const result = callThroughSignals("statx", fd, path, flags, STATX_BASIC_STATS, buffer);
  if (result < 0) return result;
  const view = new DataView(buffer.buffer);
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

/** Status of an open file, or -errno. */
export function statusOf(fd: number): FileStatus | number {
  return statx(fd, cString(""), AT_EMPTY_PATH);
}

/** Status of what `path` names, symbolic links followed, or -errno. */
export function statusOfPath(path: string): FileStatus | number {
  return statx(AT_FDCWD, cString(path), 0);
}

/** The canonical path of an open file, as the kernel knows it; undefined where /proc is missing. */
function pathOf(fd: number): string | undefined {
  const buffer = new Uint8Array(4096); // PATH_MAX, include/uapi/linux/limits.h
  const length = libc().call(
    "readlinkat",
    AT_FDCWD,
    cString(`/proc/self/fd/${fd}`),
    buffer,
    buffer.byteLength,
  );
  return length > 0 ? new TextDecoder().decode(buffer.subarray(0, length)) : undefined;
}

/** A folder that files are opened below. Dispose of it to close it. */
export class Folder implements Disposable {
  private constructor(
    readonly fd: number,
    readonly path: string,
  ) {}

  /** @throws KexecError `file-not-found`, `file-unreadable`, `io-error` */
  static open(path: string): Folder {
    const fd = open(path, O_PATH);
    if (fd < 0) throw openError(path, "folder", -fd);
    return new Folder(fd, path);
  }

  /** Canonical and absolute. */
  get canonicalPath(): string {
    return pathOf(this.fd) ?? this.path;
  }

  /** The folder that the file at `path` is in. */
  static of(path: string): Folder {
    const slash = path.lastIndexOf("/");
    return Folder.open(slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".");
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/**
 * Opens `path` for reading where it stays below `folder`, wherever symbolic links lead: openat2(2)
 * with RESOLVE_BENEATH, Linux 5.6. O_NONBLOCK: a FIFO must be refused, not waited for.
 * @returns a descriptor, or -errno: -EXDEV where it would leave the folder
 */
export function openBeneath(folder: Folder, path: string): number {
  const how = new Uint8Array(OPEN_HOW_SIZE);
  const view = new DataView(how.buffer);
  view.setBigUint64(0, BigInt(O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY), true);
  view.setBigUint64(16, BigInt(RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS), true);
  return callThroughSignals("openat2", folder.fd, cString(path), how, OPEN_HOW_SIZE);
}

/**
 * A regular, non-empty file, opened once. It reads like a `ByteSource` of image/bytes.ts.
 * Dispose of it to close the descriptor.
 */
export class InputFile implements Disposable {
  private constructor(
    /** As the user gave it. */
    readonly path: string,
    /** Canonical and absolute. */
    readonly canonicalPath: string,
    readonly fd: number,
    readonly status: FileStatus,
  ) {}

  /**
   * Opens `path`. `what` names its part in messages: "kernel", "initramfs" ...
   * @throws KexecError `file-not-found`, `file-unreadable`, `not-a-regular-file`, `file-empty`,
   *   `io-error`
   */
  static open(path: string, what: string): InputFile {
    if (path === "" || path.includes("\0")) {
      throw new KexecError("file-not-found", {
        message: `cannot open the ${what}: ${path === "" ? "its path is empty" : "its path has a NUL character"}`,
      });
    }
    // O_NONBLOCK: a FIFO must be refused, not waited for.
    const fd = open(path, O_RDONLY | O_NONBLOCK);
    if (fd < 0) throw openError(path, what, -fd);
    return InputFile.of(fd, path, what);
  }

  /**
   * Opens `path`, which is relative to `folder` and must stay below it wherever symbolic links lead.
   * @throws KexecError `outside-folder` and those of `open`
   */
  static openBelow(folder: Folder, path: string, what: string): InputFile {
    const shown = folder.path === "." ? path : `${folder.path.replace(/\/$/, "")}/${path}`;
    const fd = openBeneath(folder, path);
    if (fd === -EXDEV) {
      throw new KexecError("outside-folder", {
        message: `cannot open the ${what} ${shown}: a symbolic link in its path leads out of the folder`,
        errno: "EXDEV",
        hint: "keep the files in that folder; links in it must be relative",
      });
    }
    if (fd < 0) throw openError(shown, what, -fd);
    return InputFile.of(fd, shown, what);
  }

  /** Tells the kernel that the whole file will be read soon, so that the device starts now. */
  readAhead(): void {
    libc().call("fadvise64", this.fd, 0, 0, POSIX_FADV_WILLNEED);
  }

  private static of(fd: number, path: string, what: string): InputFile {
    try {
      const status = statusOf(fd);
      if (typeof status === "number") throw ioError(`examine the ${what} ${path}`, -status);
      if (status.type !== "regular file") {
        throw new KexecError("not-a-regular-file", {
          message: `cannot use ${path} as the ${what}: it is a ${status.type}, not a regular file`,
          hint: `give the path of the ${what} file itself`,
        });
      }
      if (status.size === 0) {
        throw new KexecError("file-empty", {
          message: `cannot use ${path} as the ${what}: the file is empty`,
          hint: "copy or download it again: an empty file is often an interrupted copy",
        });
      }
      return new InputFile(path, pathOf(fd) ?? path, fd, status);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** Bytes, as of the opening. */
  get size(): number {
    return this.status.size;
  }

  /**
   * The bytes from `offset` on, exactly `length` of them.
   * @throws RangeError outside of the file; KexecError `file-changed` when it shrank, `io-error`
   */
  read(offset: number, length: number): Uint8Array {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw new RangeError(`bytes ${offset}+${length} are outside of a file of ${this.size}`);
    }
    const buffer = new Uint8Array(length);
    if (length === 0) return buffer;
    const got = readAt(this.fd, buffer, offset);
    if (got < 0) throw ioError(`read ${this.path}`, -got);
    if (got < length) {
      throw new KexecError("file-changed", {
        message: `cannot read ${this.path}: the file became shorter while it was read`,
        hint: "wait until whatever writes it has finished",
      });
    }
    return buffer;
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Why `path` could not be opened; `what` names its part in the message. */
export function openError(path: string, what: string, errno: number): KexecError {
  const name = errnoName(errno);
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return new KexecError("file-not-found", {
        message: `cannot open the ${what} ${path}: ${errno === ENOENT ? "no such file" : "a part of its path is not a directory"}`,
        errno: name,
        hint: missingHint(path),
      });
    case EACCES:
    case EPERM:
      return new KexecError("file-unreadable", {
        message: `cannot open the ${what} ${path}: no permission to read it`,
        errno: name,
        hint: "run as root, or as a user that may read the file",
      });
    case EFBIG:
      return new KexecError("file-too-large", {
        message: `cannot open the ${what} ${path}: the file is too large`,
        errno: name,
      });
    case 6: // ENXIO: a socket, or a device without a driver
    case 19: // ENODEV
      return new KexecError("not-a-regular-file", {
        message: `cannot use ${path} as the ${what}: it is not a regular file`,
        errno: name,
        hint: `give the path of the ${what} file itself`,
      });
    case 36: // ENAMETOOLONG
    case 40: // ELOOP
      return new KexecError("file-not-found", {
        message: `cannot open the ${what} ${path.slice(0, 200)}: ${errnoText(errno).toLowerCase()}`,
        errno: name,
      });
    default:
      return ioError(`open the ${what} ${path}`, errno);
  }
}

/** Says where the path breaks off, so that an unmounted file system shows. */
function missingHint(path: string): string {
  const slash = path.lastIndexOf("/");
  const folder = slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".";
  const status = statusOfPath(folder);
  return typeof status === "number"
    ? `the directory ${folder} does not exist either: is its file system mounted?`
    : `the directory ${folder} exists: check the file name`;
}
