/** The names in a directory that must stay below another one. */

import { EACCES, ENOENT, ENOTDIR } from "../errno.ts";
import { callThroughSignals, close, ioError, nameText } from "./descriptor.ts";
import { type Folder, openBeneath } from "./file.ts";
import { openError } from "./path.ts";

// struct linux_dirent64, include/linux/dirent.h: u64 inode, s64 offset, u16 length, u8 type, name
const LENGTH_AT = 16;
const NAME_AT = 19;
/** One call reads at most this. */
const BUFFER = 1 << 16;

/**
 * Names in the directory `path` below `folder`, in no order and without `.` and `..`; undefined
 * where there is no such directory. Reading stops once there are more than `limit` of them.
 * @throws KexecError `io-error`
 */
export function namesIn(
  folder: Folder,
  path: string,
  limit: number,
): readonly string[] | undefined {
  // With `/.` behind it a device of that name is not opened, which may be to do something.
  const fd = openBeneath(folder, `${path}/.`);
  if (fd === -ENOENT || fd === -ENOTDIR) return undefined;
  if (fd === -EACCES) throw openError(`${folder.path}/${path}`, "directory", EACCES);
  if (fd < 0) throw ioError(`open the directory ${folder.path}/${path}`, -fd);
  try {
    const buffer = new Uint8Array(BUFFER);
    const names: string[] = [];
    while (names.length <= limit) {
      const got = callThroughSignals("getdents64", fd, buffer, buffer.byteLength);
      if (got === -ENOTDIR) return undefined;
      if (got < 0) throw ioError(`read the directory ${folder.path}/${path}`, -got);
      if (got === 0) break;
      names.push(...parseDirents(buffer.subarray(0, got)));
    }
    return names;
  } finally {
    close(fd);
  }
}

/** The names in one answer of getdents64(2), without `.` and `..`. Of one that is not UTF-8 see `nameText`. */
export function parseDirents(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const names: string[] = [];
  for (let at = 0; at + NAME_AT < bytes.byteLength; ) {
    const length = view.getUint16(at + LENGTH_AT, true);
    if (length <= NAME_AT || at + length > bytes.byteLength) break;
    const field = bytes.subarray(at + NAME_AT, at + length);
    const end = field.indexOf(0);
    const name = nameText(end < 0 ? field : field.subarray(0, end));
    if (name !== "." && name !== ".." && name !== "") names.push(name);
    at += length;
  }
  return names;
}
