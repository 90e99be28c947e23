/** Input files: opened once, checked, and from then on known by their descriptor only. */

import { ENOENT, EXDEV } from "../errno.ts";
import { cannot, KexecError } from "../errors.ts";
import {
  becameShorter,
  callThroughSignals,
  close,
  cString,
  ioError,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  open,
  readRange,
} from "./descriptor.ts";
import { libc } from "./libc.ts";
import { type FileStatus, openError, readLink, statusOf } from "./path.ts";

// struct open_how and RESOLVE_*, include/uapi/linux/openat2.h
const OPEN_HOW_SIZE = 24;
const RESOLVE_NO_MAGICLINKS = 2;
const RESOLVE_BENEATH = 8;
const RESOLVE_IN_ROOT = 16;
// include/uapi/linux/fadvise.h
const POSIX_FADV_WILLNEED = 3;
// include/uapi/asm-generic/fcntl.h
const O_PATH = 0o10000000;

/** The canonical path of an open file, as the kernel knows it; undefined where /proc is missing. */
function pathOf(fd: number): string | undefined {
  const path = readLink(`/proc/self/fd/${fd}`);
  return typeof path === "string" ? path : undefined;
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
 * Finds `path` where it stays below `folder`, wherever symbolic links lead: openat2(2) with
 * RESOLVE_BENEATH, Linux 5.6.
 * @returns a descriptor of what is there, opened neither for reading nor for writing, or -errno:
 *   -EXDEV where it would leave the folder
 */
function findBeneath(folder: Folder, path: string): number {
  return openBeneathAs(folder, path, O_PATH);
}

/**
 * Opens `path` for reading where it stays below `folder`, as `findBeneath` finds it. O_NONBLOCK: a FIFO
 * must be refused, not waited for.
 */
export function openBeneath(folder: Folder, path: string): number {
  return openBeneathAs(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

function openBeneathAs(
  folder: Folder,
  path: string,
  flags: number,
  resolve = RESOLVE_BENEATH,
): number {
  const how = new Uint8Array(OPEN_HOW_SIZE);
  const view = new DataView(how.buffer);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(16, BigInt(resolve | RESOLVE_NO_MAGICLINKS), true);
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
    const place = open(path, O_PATH);
    if (place < 0) throw openError(path, what, -place);
    return InputFile.at(place, path, what, () => open(path, O_RDONLY | O_NONBLOCK));
  }

  /**
   * Opens `path`, which is relative to `folder` and must stay below it wherever symbolic links lead.
   * @throws KexecError `outside-folder` and those of `open`
   */
  static openBelow(folder: Folder, path: string, what: string): InputFile {
    const again = () => openBeneath(folder, path);
    return InputFile.foundBelow(folder, path, what, findBeneath(folder, path), again);
  }

  /**
   * The same where `folder` is the root of a file system: a link that begins with a slash counts from
   * there, as it does for the system that it belongs to.
   * @throws KexecError `outside-folder` and those of `open`
   */
  static openInside(folder: Folder, path: string, what: string): InputFile {
    const place = findBeneath(folder, path);
    if (place !== -EXDEV) {
      return InputFile.foundBelow(folder, path, what, place, () => openBeneath(folder, path));
    }
    const as = (flags: number) => openBeneathAs(folder, path, flags, RESOLVE_IN_ROOT);
    const inside = as(O_PATH);
    return InputFile.foundBelow(folder, path, what, inside === -ENOENT ? place : inside, () =>
      as(O_RDONLY | O_NONBLOCK | O_NOCTTY),
    );
  }

  private static foundBelow(
    folder: Folder,
    path: string,
    what: string,
    place: number,
    again: () => number,
  ): InputFile {
    const shown = folder.path === "." ? path : `${folder.path.replace(/\/$/, "")}/${path}`;
    if (place === -EXDEV) {
      throw new KexecError("outside-folder", {
        message: `cannot open the ${what} ${shown}: a symbolic link in its path leads out of the folder`,
        errno: "EXDEV",
        hint: "keep the files in that folder; links in it must be relative",
      });
    }
    if (place < 0) throw openError(shown, what, -place);
    return InputFile.at(place, shown, what, again);
  }

  /**
   * Looks at what is there before it is opened: to open a device can be to do something, as a watchdog
   * begins to count.
   * @param place A descriptor by O_PATH, which is closed here.
   * @param again Opens the path anew, where the descriptor has no name in /proc.
   */
  private static at(place: number, path: string, what: string, again: () => number): InputFile {
    let found: FileStatus;
    let fd: number;
    try {
      found = requireRegular(place, path, what);
      fd = open(`/proc/self/fd/${place}`, O_RDONLY | O_NONBLOCK);
      if (fd === -ENOENT) fd = again();
      if (fd < 0) throw openError(path, what, -fd);
    } finally {
      close(place);
    }
    return InputFile.of(fd, path, what, found);
  }

  private static of(fd: number, path: string, what: string, found: FileStatus): InputFile {
    try {
      const status = requireRegular(fd, path, what);
      if (status.inode !== found.inode || status.device !== found.device) {
        throw new KexecError("file-changed", {
          message: `cannot use ${path} as the ${what}: another file took its place while it was opened`,
        });
      }
      if (status.size > largestFile) {
        throw new KexecError("file-too-large", {
          message: `cannot use ${path} as the ${what}: it has ${status.size} bytes`,
          hint: "no such file is that large: it is damaged, or sparse",
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

  /** All of it. */
  get extents(): readonly [{ fd: number; path: string; offset: number; length: number }] {
    return [{ fd: this.fd, path: this.path, offset: 0, length: this.size }];
  }

  /**
   * The bytes from `offset` on, exactly `length` of them.
   * @throws RangeError outside of the file; KexecError `file-changed` when it shrank, `io-error`
   */
  read(offset: number, length: number): Uint8Array {
    const { bytes, isWhole } = readRange(this.fd, this.size, offset, length, `read ${this.path}`);
    if (!isWhole) throw cannot(`read ${this.path}`, becameShorter);
    return bytes;
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Tells the kernel that these bytes will be read soon, so that the device starts now. */
export function adviseWillNeed(fd: number, offset: number, length: number): void {
  libc().call("fadvise64", fd, offset, length, POSIX_FADV_WILLNEED);
}

/** Bytes: 256 TiB. Sums of such sizes stay exact. */
const largestFile = 2 ** 48;

/** @throws KexecError `not-a-regular-file`, `io-error` */
function requireRegular(fd: number, path: string, what: string): FileStatus {
  const status = statusOf(fd);
  if (typeof status === "number") throw ioError(`examine the ${what} ${path}`, -status);
  if (status.type === "regular file") return status;
  throw new KexecError("not-a-regular-file", {
    message: `cannot use ${path} as the ${what}: it is a ${status.type}, not a regular file`,
    hint: `give the path of the ${what} file itself`,
  });
}

/** It reads like a `ByteSource` of image/bytes.ts. */
export interface DescriptorSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** The file behind a descriptor as of now; undefined where it is no regular file. */
export function descriptorSource(fd: number): DescriptorSource | undefined {
  const status = statusOf(fd);
  if (typeof status === "number" || status.type !== "regular file") return undefined;
  const { size } = status;
  return {
    size,
    read(offset, length) {
      // What the file has lost meanwhile is zeros: no check passes on them.
      return readRange(fd, size, offset, length, "read an image again").bytes;
    },
  };
}
