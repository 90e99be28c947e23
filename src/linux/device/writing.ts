/**
 * Files and folders that are made below an open folder, and flushed: no name on the way leads elsewhere, for no
 * symbolic link is followed.
 */
import { EAGAIN, EEXIST, ENOENT, ENOTDIR, EROFS, errnoName, errnoText } from "../../errno.ts";
import { cannot, type KexecError } from "../../errors.ts";
import {
  callThroughSignals,
  close,
  cString,
  O_CREAT,
  O_NONBLOCK,
  O_RDONLY,
  readAt,
} from "../descriptor.ts";
import {
  type Folder,
  joined,
  namesIn,
  O_PATH,
  openBeneathAs,
  RESOLVE_BENEATH,
  RESOLVE_NO_SYMLINKS,
} from "../directory.ts";
import { type FileType, statusOf } from "../path.ts";

// include/uapi/asm-generic/fcntl.h
const O_RDWR = 2;
const AT_REMOVEDIR = 0x200;
const LOCK_EX = 2;
const LOCK_NB = 4;
const EISDIR = 21;
const ENOSPC = 28;
// include/uapi/linux/magic.h
const MSDOS_SUPER_MAGIC = 0x4d44n;
const EXFAT_SUPER_MAGIC = 0x2011bab0n;

const noLinks = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;

/** A file that is being written. Dispose of it to close it. */
export class WrittenFile implements Disposable {
  private constructor(
    private readonly fd: number,
    readonly path: string,
    /** Bytes that it had when it was opened. */
    readonly size: number,
  ) {}

  /** Opens it, or makes it; the folders on its way are made. @throws KexecError `io-error` */
  static open(folder: Folder, path: string): WrittenFile {
    const shown = joined(folder, path);
    const names = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= names.length; depth++) {
      makeFolder(folder, names.slice(0, depth).join("/"));
    }
    const flags = O_RDWR | O_CREAT | O_NONBLOCK;
    const fd = openBeneathAs(folder, path, flags, noLinks, 0o644);
    if (fd < 0) throw writeError(`write ${shown}`, -fd);
    const status = statusOf(fd);
    if (typeof status !== "number" && status.type === "regular file") {
      return new WrittenFile(fd, shown, status.size);
    }
    close(fd);
    throw cannot(`write ${shown}`, {
      code: "io-error",
      details: { path: shown },
      why: "something else is in its place",
    });
  }

  /** Fewer bytes only at its end. @throws KexecError `io-error` */
  read(offset: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    const got = length === 0 ? 0 : readAt(this.fd, bytes, offset);
    if (got < 0) throw writeError(`read ${this.path}`, -got);
    return bytes.subarray(0, got);
  }

  /** @throws KexecError `io-error` */
  write(offset: number, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const rest = bytes.subarray(done);
      const put = callThroughSignals("pwrite64", this.fd, rest, rest.length, offset + done);
      if (put < 0) throw writeError(`write ${this.path}`, -put);
      done += put;
    }
  }

  /** @throws KexecError `io-error` */
  cut(size: number): void {
    const result = callThroughSignals("ftruncate", this.fd, size);
    if (result < 0) throw writeError(`write ${this.path}`, -result);
  }

  /** @throws KexecError `io-error` */
  flush(): void {
    const result = callThroughSignals("fsync", this.fd);
    if (result < 0) throw writeError(`flush ${this.path}`, -result);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** Makes a folder, or leaves the one that is there. @throws KexecError `io-error` */
export function makeFolder(folder: Folder, path: string): void {
  const result = inParent(folder, path, (fd, name) =>
    callThroughSignals("mkdirat", fd, cString(name), 0o755),
  );
  if (result < 0 && result !== -EEXIST) {
    throw writeError(`make the folder ${joined(folder, path)}`, -result);
  }
}

/**
 * Removes what stands in the way of a file that is to be written: a link or a folder in its place, and what is no
 * folder on the way to it. A link goes itself, never what it leads to.
 */
export function clearWay(folder: Folder, path: string): void {
  for (let end = path.indexOf("/"); end >= 0; end = path.indexOf("/", end + 1)) {
    clearUnless("directory", folder, path.slice(0, end));
  }
  clearUnless("regular file", folder, path);
}

function clearUnless(type: FileType, folder: Folder, path: string): void {
  const fd = openBeneathAs(folder, path, O_PATH, noLinks);
  if (fd === -ENOENT) return;
  const status = fd < 0 ? fd : statusOf(fd);
  if (fd >= 0) close(fd);
  const isWanted = typeof status !== "number" && status.type === type;
  if (!isWanted) removeForGood(folder, path);
}

/**
 * Flushes a file system, then the names in a folder of it. FAT writes where a folder begins with its inode, which no
 * fsync of its parent does: syncfs does, and does not flush the device, which fsync does behind it (fs/fat/file.c,
 * fat_file_fsync).
 * @throws KexecError `io-error`
 */
export function flushNames(folder: Folder, path: string): void {
  const fd = openBeneathAs(folder, `${path === "" ? "." : path}/.`, O_RDONLY, noLinks);
  const shown = joined(folder, path);
  if (fd < 0) throw writeError(`flush ${shown}`, -fd);
  try {
    const result = callThroughSignals("syncfs", fd);
    const all = result < 0 ? result : callThroughSignals("fsync", fd);
    if (all < 0) throw writeError(`flush ${shown}`, -all);
  } finally {
    close(fd);
  }
}

/** How deep folders are removed: paths in a manifest are short. */
const deepest = 16;
const mostNames = 4096;

/**
 * Removes a file, or a folder and all in it, and flushes; a link is removed, and not followed. What is not there is
 * no error.
 *
 * All of it is held until its names are gone for good. FAT frees the clusters of a file once nobody holds it, and
 * writes that and the name in any order: after a power cut a name could lead to free clusters, where the next removal
 * makes the file system read-only (fs/fat/fatent.c, fat_free_clusters).
 * @throws KexecError `io-error`
 */
export function removeForGood(folder: Folder, path: string): void {
  const held: number[] = [];
  try {
    remove(folder, path, held);
    flushNames(folder, "");
  } finally {
    for (const fd of held) close(fd);
  }
}

function remove(folder: Folder, path: string, held: number[], depth = 0): void {
  // What cannot be held, as where too many are, is removed all the same.
  const fd = openBeneathAs(folder, path, O_PATH, noLinks);
  if (fd >= 0) held.push(fd);
  const shown = joined(folder, path);
  let result = unlink(folder, path, 0);
  if (result === -EISDIR) {
    if (depth > deepest) throw writeError(`remove ${shown}`, EISDIR);
    for (const name of namesIn(folder, path, mostNames) ?? []) {
      remove(folder, `${path}/${name}`, held, depth + 1);
    }
    result = unlink(folder, path, AT_REMOVEDIR);
  }
  if (result < 0 && result !== -ENOENT) throw writeError(`remove ${shown}`, -result);
}

function unlink(folder: Folder, path: string, flags: number): number {
  return inParent(folder, path, (fd, name) =>
    callThroughSignals("unlinkat", fd, cString(name), flags),
  );
}

/** Calls with the folder that a path's last name is in. @returns the call's result, or -errno */
function inParent(folder: Folder, path: string, use: (fd: number, name: string) => number): number {
  const slash = path.lastIndexOf("/");
  if (slash < 0) return use(folder.fd, path);
  const fd = openBeneathAs(folder, `${path.slice(0, slash)}/.`, O_PATH, noLinks);
  if (fd < 0) return fd;
  try {
    return use(fd, path.slice(slash + 1));
  } finally {
    close(fd);
  }
}

/** Holds a folder against others that do the same; undefined where another does. */
export function lockFolder(folder: Folder): Disposable | undefined {
  const fd = openBeneathAs(folder, ".", O_RDONLY, noLinks);
  if (fd < 0) throw writeError(`open ${folder.path}`, -fd);
  const result = callThroughSignals("flock", fd, LOCK_EX | LOCK_NB);
  if (result === 0) return { [Symbol.dispose]: () => close(fd) };
  close(fd);
  if (result === -EAGAIN) return undefined;
  throw writeError(`lock ${folder.path}`, -result);
}

/** What fstatfs(2) tells of a folder's file system. */
export interface Room {
  /** Bytes that may still be written. */
  readonly free: number;
  /** One without a journal, which may keep both names of a rename that was cut off. */
  readonly isFat: boolean;
}

/** Undefined where it cannot be told. */
export function roomIn(folder: Folder): Room | undefined {
  const fd = openBeneathAs(folder, ".", O_RDONLY, noLinks);
  if (fd < 0) return undefined;
  // struct statfs of 64-bit machines, include/uapi/asm-generic/statfs.h
  const status = new Uint8Array(120);
  const result = callThroughSignals("fstatfs", fd, status);
  close(fd);
  if (result < 0) return undefined;
  const view = new DataView(status.buffer);
  const type = view.getBigUint64(0, true);
  const free = view.getBigUint64(32, true) * view.getBigUint64(72, true);
  return { free: Number(free), isFat: type === MSDOS_SUPER_MAGIC || type === EXFAT_SUPER_MAGIC };
}

/** A failure to write; a full disk says what to do. */
export function writeError(doing: string, errno: number): KexecError {
  const hints: Readonly<Record<number, string>> = {
    [ENOSPC]: "make room: remove a generation that is not needed, or keep fewer (--keep)",
    [EROFS]: "mount it writable",
    [ENOTDIR]: "something else is in the place of a folder",
  };
  const hint = hints[errno];
  return cannot(
    doing,
    {
      code: "io-error",
      why: errnoText(errno).toLowerCase(),
      ...(hint === undefined ? {} : { hint }),
    },
    { errno: errnoName(errno) },
  );
}
