/** Small changes of a disk that last: each is flushed before it is said to be done. */
import { EACCES, EEXIST, EINVAL } from "../../errno.ts";
import {
  AT_FDCWD,
  callThroughSignals,
  close,
  cString,
  O_CLOEXEC,
  O_RDONLY,
  O_WRONLY,
  open,
  writeAll,
} from "../descriptor.ts";

const W_OK = 2;
const RENAME_NOREPLACE = 1;
const AT_SYMLINK_NOFOLLOW = 0x100;

/**
 * Whether a file, or the names in a folder, can be changed: not on a file system that is read-only. Who
 * may not do it is told when it is tried; whoever loads a kernel may.
 */
export function isWritable(path: string): boolean {
  const result = callThroughSignals("faccessat", AT_FDCWD, cString(path), W_OK, 0);
  return result === 0 || result === -EACCES;
}

/** Writes into a file that is there, in its place: its blocks stay, as GRUB needs it. 0, or -errno. */
export function overwrite(path: string, bytes: Uint8Array): number {
  const fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  try {
    const result = writeAll(fd, bytes);
    return result < 0 ? result : callThroughSignals("fsync", fd);
  } finally {
    close(fd);
  }
}

/** Renames within a folder; what has the name already is left as it is. 0, or -errno. */
export function renameIn(folder: string, from: string, to: string): number {
  const [before, after] = [from, to].map((name) => cString(`${folder.replace(/\/$/, "")}/${name}`));
  if (before === undefined || after === undefined) return -EINVAL;
  let result = callThroughSignals("renameat2", AT_FDCWD, before, AT_FDCWD, after, RENAME_NOREPLACE);
  if (result === -EINVAL) {
    // A file system without that flag.
    const taken = callThroughSignals("faccessat", AT_FDCWD, after, 0, AT_SYMLINK_NOFOLLOW) === 0;
    if (taken) return -EEXIST;
    result = callThroughSignals("renameat2", AT_FDCWD, before, AT_FDCWD, after, 0);
  }
  return result < 0 ? result : flushFolder(folder);
}

/**
 * The file system, then the names in a folder. FAT writes where a renamed folder begins with its inode, which no
 * fsync of its parent does: syncfs does, and does not flush the device, which fsync does behind it (fs/fat/file.c,
 * fat_file_fsync).
 */
function flushFolder(folder: string): number {
  const fd = open(folder, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  try {
    const result = callThroughSignals("syncfs", fd);
    return result < 0 ? result : callThroughSignals("fsync", fd);
  } finally {
    close(fd);
  }
}
