/** Folders, the ways below them that nothing leads out of, and the names in them. */

import { EACCES, ENOENT, ENOTDIR, EXDEV, errnoName } from "../errno.ts";
import { cannot, type KexecError } from "../errors.ts";
import {
  callThroughSignals,
  close,
  cString,
  ioError,
  O_CLOEXEC,
  O_NOCTTY,
  O_NONBLOCK,
  O_RDONLY,
  open,
  readNames,
} from "./descriptor.ts";
import { openError, readLink, toOpen } from "./path.ts";

// struct open_how and RESOLVE_*, include/uapi/linux/openat2.h
const OPEN_HOW_SIZE = 24;
const RESOLVE_NO_MAGICLINKS = 2;
export const RESOLVE_NO_SYMLINKS = 4;
export const RESOLVE_BENEATH = 8;
export const RESOLVE_IN_ROOT = 16;
// include/uapi/asm-generic/fcntl.h
export const O_PATH = 0o10000000;

/** The canonical path of an open file, as the kernel knows it; undefined where /proc is missing. */
export function pathOf(fd: number): string | undefined {
  const path = readLink(`/proc/self/fd/${fd}`);
  return typeof path === "string" ? path : undefined;
}

/** A folder that files are opened below. Dispose of it to close it. */
export class Folder implements Disposable {
  private closed = false;

  private constructor(
    readonly fd: number,
    readonly path: string,
    /** It has no place among the mounts: what the kernel calls its path names something else. */
    readonly detached: boolean,
  ) {}

  /** @throws KexecError `file-not-found`, `file-unreadable`, `io-error` */
  static open(path: string): Folder {
    const fd = open(path, O_PATH);
    if (fd < 0) throw openError(path, "folder", -fd);
    return new Folder(fd, path, false);
  }

  /** The folder at `path` under another name for messages; undefined where it cannot be opened. */
  static openAs(path: string, shown: string): Folder | undefined {
    const fd = open(path, O_PATH);
    return fd < 0 ? undefined : new Folder(fd, shown, false);
  }

  /** The root of a detached mount, which ends with it. */
  static ofMount(mount: { readonly fd: number }, shown: string): Folder {
    return new Folder(mount.fd, shown, true);
  }

  /** A folder below it, or itself where `path` is empty. @throws KexecError of InputFile.openBelow */
  below(path: string): Folder {
    const fd = openBeneathAs(this, `${path === "" ? "." : path}/.`, O_PATH);
    const shown = joined(this, path);
    if (fd < 0) throw belowError(this, path, "folder", -fd);
    return new Folder(fd, shown, this.detached);
  }

  /** Canonical and absolute where it has a place in a file system of this machine; `path` where not. */
  get canonicalPath(): string {
    return this.detached ? this.path : (pathOf(this.fd) ?? this.path);
  }

  /** The folder that the file at `path` is in. */
  static of(path: string): Folder {
    const slash = path.lastIndexOf("/");
    return Folder.open(slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".");
  }

  /** A second time does nothing. */
  [Symbol.dispose](): void {
    if (!this.closed) close(this.fd);
    this.closed = true;
  }
}

/**
 * Finds `path` where it stays below `folder`, wherever symbolic links lead: openat2(2) with
 * RESOLVE_BENEATH, Linux 5.6.
 * @returns a descriptor of what is there, opened neither for reading nor for writing, or -errno:
 *   -EXDEV where it would leave the folder
 */
export function findBeneath(folder: Folder, path: string): number {
  return openBeneathAs(folder, path, O_PATH);
}

/**
 * Opens `path` for reading where it stays below `folder`, as `findBeneath` finds it. O_NONBLOCK: a FIFO
 * must be refused, not waited for.
 */
export function openBeneath(folder: Folder, path: string): number {
  return openBeneathAs(folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
}

export function openBeneathAs(
  folder: Folder,
  path: string,
  flags: number,
  resolve = RESOLVE_BENEATH,
  mode = 0,
): number {
  const how = new Uint8Array(OPEN_HOW_SIZE);
  const view = new DataView(how.buffer);
  view.setBigUint64(0, BigInt(flags | O_CLOEXEC), true);
  view.setBigUint64(8, BigInt(mode), true);
  view.setBigUint64(16, BigInt(resolve | RESOLVE_NO_MAGICLINKS), true);
  return callThroughSignals("openat2", folder.fd, cString(path), how, OPEN_HOW_SIZE);
}

/** Whether `path`, which may be empty for the folder itself, is a folder that stays below it. */
export function isFolderBelow(folder: Folder, path: string): boolean {
  const fd = openBeneathAs(folder, `${path === "" ? "." : path}/.`, O_PATH);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

/** What messages call a path below a folder. */
export function joined({ path: folder }: Folder, path: string): string {
  if (path === "") return folder;
  return folder === "." ? path : `${folder.replace(/\/$/, "")}/${path}`;
}

export function belowError(folder: Folder, path: string, what: string, errno: number): KexecError {
  const shown = joined(folder, path);
  if (folder.detached && (errno === ENOENT || errno === ENOTDIR)) {
    // Where such a path breaks off cannot be looked up by name.
    return cannot(
      toOpen(what, shown),
      { code: "file-not-found", why: "no such file" },
      { errno: errnoName(errno), details: { path: shown } },
    );
  }
  if (errno !== EXDEV) return openError(shown, what, errno);
  return cannot(
    toOpen(what, shown),
    {
      code: "outside-folder",
      why: "a symbolic link in its path leads out of the folder",
      hint: "keep the files in that folder; links in it must be relative",
    },
    { errno: "EXDEV", details: { path: shown } },
  );
}

/**
 * Names in the directory `path` below `folder`, which may be empty for the folder itself, in no order and without `.` and `..`; undefined
 * where there is no such directory. Reading stops once there are more than `limit` of them.
 * @throws KexecError `io-error`
 */
export function namesIn(
  folder: Folder,
  path: string,
  limit: number,
): readonly string[] | undefined {
  // With `/.` behind it a device of that name is not opened, which may be to do something.
  const fd = openBeneath(folder, `${path === "" ? "." : path}/.`);
  if (fd === -ENOENT || fd === -ENOTDIR) return undefined;
  if (fd === -EACCES) throw openError(`${folder.path}/${path}`, "directory", EACCES);
  if (fd < 0) throw ioError(`open the directory ${folder.path}/${path}`, -fd, joined(folder, path));
  try {
    const names = readNames(fd, limit);
    if (names === -ENOTDIR) return undefined;
    if (typeof names === "number")
      throw ioError(`read the directory ${folder.path}/${path}`, -names, joined(folder, path));
    return names;
  } finally {
    close(fd);
  }
}
