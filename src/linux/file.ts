/** Input files: opened once, checked, and from then on known by their descriptor only. */

import { ENOENT, EXDEV } from "../errno.ts";
import { cannot } from "../errors.ts";
import {
  becameShorter,
  close,
  ioError,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  open,
  readRange,
} from "./descriptor.ts";
import {
  belowError,
  type Folder,
  findBeneath,
  joined,
  O_PATH,
  openBeneath,
  openBeneathAs,
  pathOf,
  RESOLVE_IN_ROOT,
} from "./directory.ts";
import { libc } from "./libc.ts";
import { type FileStatus, fileItself, openError, statusOf, toUse } from "./path.ts";

export { Folder, isFolderBelow } from "./directory.ts";

// include/uapi/linux/fadvise.h
const POSIX_FADV_WILLNEED = 3;

/**
 * A regular, non-empty file, opened once. It reads like a `ByteSource` of image/bytes.ts.
 * Dispose of it to close the descriptor.
 */
export class InputFile implements Disposable {
  private constructor(
    /** As the user gave it. */
    readonly path: string,
    /** Canonical and absolute where it has a place in a file system of this machine; `path` where not. */
    readonly canonicalPath: string,
    readonly fd: number,
    readonly status: FileStatus,
    /** Bytes, as of the opening. */
    readonly size = status.size,
  ) {}

  /**
   * Opens `path`. `what` names its part in messages: "kernel", "initramfs" ...; `""`: only
   * its content tells.
   * @throws KexecError `file-not-found`, `file-unreadable`, `not-a-regular-file`, `file-empty`,
   *   `io-error`
   */
  static open(path: string, what: string): InputFile {
    if (path === "" || path.includes("\0")) {
      throw cannot(what === "" ? "open a file" : `open the ${what}`, {
        code: "file-not-found",
        details: { path },
        why: path === "" ? "its path is empty" : "its path has a NUL character",
      });
    }
    const place = open(path, O_PATH);
    if (place < 0) throw openError(path, what, -place, true);
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
    if (place < 0) throw belowError(folder, path, what, -place);
    return InputFile.at(place, joined(folder, path), what, again, folder.detached);
  }

  /**
   * Looks at what is there before it is opened: to open a device can be to do something, as a watchdog
   * begins to count.
   * @param place A descriptor by O_PATH, which is closed here.
   * @param again Opens the path anew, where the descriptor has no name in /proc.
   */
  private static at(
    place: number,
    path: string,
    what: string,
    again: () => number,
    detached = false,
  ): InputFile {
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
    return InputFile.of(fd, path, what, found, detached);
  }

  private static of(
    fd: number,
    path: string,
    what: string,
    found: FileStatus,
    detached: boolean,
  ): InputFile {
    try {
      const status = requireRegular(fd, path, what);
      if (status.inode !== found.inode || status.device !== found.device) {
        throw cannot(toUse(path, what), {
          code: "file-changed",
          details: { path },
          why: "another file took its place while it was opened",
        });
      }
      if (status.size > largestFile) {
        throw cannot(toUse(path, what), {
          code: "file-too-large",
          details: { path, size: status.size, limit: largestFile },
          why: `it has ${status.size} bytes`,
          hint: "no such file is that large: it is damaged, or sparse",
        });
      }
      if (status.size === 0) {
        throw cannot(toUse(path, what), {
          code: "file-empty",
          details: { path },
          why: "the file is empty",
          hint: "copy or download it again: an empty file is often an interrupted copy",
        });
      }
      return new InputFile(path, detached ? path : (pathOf(fd) ?? path), fd, status);
    } catch (error) {
      close(fd);
      throw error;
    }
  }

  /** All of it. */
  get extents(): readonly [{ fd: number; path: string; offset: number; length: number }] {
    return [{ fd: this.fd, path: this.path, offset: 0, length: this.size }];
  }

  /**
   * The bytes from `offset` on, exactly `length` of them.
   * @throws RangeError outside of the file; KexecError `file-changed` when it shrank, `io-error`
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    const doing = `read ${this.path}`;
    const { bytes, isWhole } = readRange(this.fd, this.size, offset, length, doing, into);
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
  if (typeof status === "number")
    throw ioError(`examine the ${what === "" ? "file" : what} ${path}`, -status, path);
  if (status.type === "regular file") return status;
  throw cannot(toUse(path, what), {
    code: "not-a-regular-file",
    details: { path },
    why: `it is a ${status.type}, not a regular file`,
    hint: fileItself(what),
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
