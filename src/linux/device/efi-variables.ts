/**
 * Variables of the Boot Loader Interface in efivarfs: text in UTF-16 behind four bytes of attributes
 * (Documentation/filesystems/efivarfs.rst).
 */
import { ENOENT } from "../../errno.ts";
import {
  AT_FDCWD,
  callThroughSignals,
  close,
  cString,
  O_CLOEXEC,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  open,
  readHead,
  writeAll,
} from "../descriptor.ts";
import { exists } from "../path.ts";
import { isWritable } from "./change.ts";

const folder = "/sys/firmware/efi/efivars";
const vendor = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f";
const longest = 4096;
// Non-volatile, of boot services, at run time: UEFI specification, 8.2.
const attributes = [7, 0, 0, 0];
// include/uapi/linux/fs.h, of a 64-bit machine
const FS_IOC_GETFLAGS = 0x80086601;
const FS_IOC_SETFLAGS = 0x40086602;
const FS_IMMUTABLE_FL = 0x10;

/** A name of the interface: `LoaderEntryOneShot`. */
export type LoaderVariable = `Loader${string}`;

function pathOf(name: LoaderVariable): string {
  return `${folder}/${name}-${vendor}`;
}

/** Its text up to the first NUL; undefined where it is not set, or cannot be read. */
export function readLoaderVariable(name: LoaderVariable): string | undefined {
  const bytes = readHead(pathOf(name), longest);
  if (bytes.length <= attributes.length) return undefined;
  const text = new TextDecoder("utf-16le").decode(bytes.subarray(attributes.length));
  const [value = ""] = text.split("\0");
  return value === "" ? undefined : value;
}

/** Whether variables may be changed: efivarfs is mounted, and not read-only. */
export function canChangeLoaderVariables(): boolean {
  return exists(folder) && isWritable(folder);
}

/** 0, or -errno. */
export function deleteLoaderVariable(name: LoaderVariable): number {
  const result = makeMutable(pathOf(name));
  if (result < 0) return result;
  return callThroughSignals("unlinkat", AT_FDCWD, cString(pathOf(name)), 0);
}

/** 0, or -errno. */
export function writeLoaderVariable(name: LoaderVariable, text: string): number {
  const mutable = makeMutable(pathOf(name));
  if (mutable < 0 && mutable !== -ENOENT) return mutable;
  const fd = open(pathOf(name), O_WRONLY | O_CREAT | O_CLOEXEC, 0o644);
  if (fd < 0) return fd;
  try {
    const value = Buffer.from(`${text}\0`, "utf16le");
    // All of it by one write(2): each is one call of the firmware.
    return writeAll(fd, Uint8Array.from([...attributes, ...value]));
  } finally {
    close(fd);
  }
}

/** Files of efivarfs are immutable until that flag is cleared. */
function makeMutable(path: string): number {
  const fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  try {
    const flags = new Uint8Array(8);
    const got = callThroughSignals("ioctl", fd, FS_IOC_GETFLAGS, flags);
    if (got < 0) return got;
    if (((flags[0] ?? 0) & FS_IMMUTABLE_FL) === 0) return 0;
    flags[0] = (flags[0] ?? 0) & ~FS_IMMUTABLE_FL;
    return callThroughSignals("ioctl", fd, FS_IOC_SETFLAGS, flags);
  } finally {
    close(fd);
  }
}
