/** Descriptors and the bytes behind them: the calls that every other file here is made of. */

import { EAGAIN, EFBIG, EINTR, EIO, errnoName, errnoText } from "../errno.ts";
import { type Cause, cannot, type KexecError } from "../errors.ts";
import { nameBytes, nameText } from "../name-bytes.ts";
import { type Argument, libc } from "./libc.ts";
import type { SyscallName } from "./syscalls.ts";

// include/uapi/asm-generic/fcntl.h; O_DIRECTORY and O_NOFOLLOW differ on arm64 and are not used.
export const O_RDONLY = 0;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_NOCTTY = 0o400;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;
/** openat: resolve relative paths from the working directory (include/uapi/linux/fcntl.h). */
export const AT_FDCWD = -100;

/** A NUL-terminated name or path for the kernel: see `nameBytes`. The caller has refused an embedded NUL. */
export function cString(text: string): Uint8Array {
  return nameBytes(`${text}\0`);
}

/** Like `libc().call`, repeated while a signal interrupts it. */
export function callThroughSignals(name: SyscallName, ...args: readonly Argument[]): number {
  for (;;) {
    const result = libc().call(name, ...args);
    if (result !== -EINTR) return result;
  }
}

/** Opens `path` close-on-exec and without becoming a controlling terminal; a descriptor or -errno. */
export function open(path: string, flags: number, mode = 0): number {
  return callThroughSignals("openat", AT_FDCWD, cString(path), flags | O_CLOEXEC | O_NOCTTY, mode);
}

export function close(fd: number): void {
  // Never repeated on EINTR: Linux has freed the descriptor by then (close(2)).
  libc().call("close", fd);
}

/** An I/O failure that is the machine's fault rather than the user's (exit 12). */
export function ioError(doing: string, errno: number, path?: string): KexecError {
  const why = errnoText(errno).toLowerCase();
  const hint = "the device may be failing: look at the kernel log (dmesg)";
  const cause = { code: "io-error", why, ...(errno === EIO ? { hint } : {}) } as const;
  return cannot(doing, cause, { errno: errnoName(errno), details: { path } });
}

/** A file lost bytes while it was read or copied. */
export const becameShorter: Cause = {
  code: "file-changed",
  why: "the file became shorter while it was read",
  hint: "wait until whatever writes it has finished",
};

/**
 * Fills `buffer` from `offset` on.
 * @returns the bytes read (fewer only at the end of the file), or -errno
 */
export function readAt(fd: number, buffer: Uint8Array, offset: number): number {
  let done = 0;
  while (done < buffer.byteLength) {
    const got = callThroughSignals(
      "pread64",
      fd,
      buffer.subarray(done),
      buffer.byteLength - done,
      offset + done,
    );
    if (got < 0) return got;
    if (got === 0) break;
    done += got;
  }
  return done;
}

/**
 * Writes all of `bytes`.
 * @returns 0, or -errno
 */
export function writeAll(fd: number, bytes: Uint8Array): number {
  let done = 0;
  while (done < bytes.byteLength) {
    const put = callThroughSignals("write", fd, bytes.subarray(done), bytes.byteLength - done);
    if (put === -EAGAIN) {
      // A non-blocking terminal or pipe (someone else's O_NONBLOCK) is full: let it drain.
      Bun.sleepSync(1);
      continue;
    }
    if (put < 0) return put;
    done += put;
  }
  return 0;
}

/** include/uapi/asm-generic/poll.h */
const POLLOUT = 4;
/**
 * Bytes that a pipe, a socket or a terminal takes without waiting once poll(2) says that it takes some:
 * a page of a pipe (fs/pipe.c), less than what a terminal keeps free (WAKEUP_CHARS, drivers/tty/n_tty.c).
 */
const AT_ONCE = 256;

/**
 * Writes all of `bytes` as long as the reader keeps up.
 * @param patience milliseconds that may be waited in all; what is left of it is returned by `waited`
 * @returns 0, or -errno: -EAGAIN where nobody reads
 */
export function writeWithin(
  fd: number,
  bytes: Uint8Array,
  patience: number,
  waited: (milliseconds: number) => void,
): number {
  let left = patience;
  for (let done = 0; done < bytes.byteLength; ) {
    const begin = performance.now();
    const ready = untilWritable(fd, left);
    const took = performance.now() - begin;
    left = Math.max(0, left - took);
    waited(took);
    if (ready <= 0) return ready === 0 ? -EAGAIN : ready;
    const length = Math.min(AT_ONCE, bytes.byteLength - done);
    const put = callThroughSignals("write", fd, bytes.subarray(done, done + length), length);
    if (put < 0 && put !== -EAGAIN) return put;
    // It was said to take some and takes none: not asked again without a pause.
    if (put === -EAGAIN) Bun.sleepSync(1);
    else done += put;
  }
  return 0;
}

/** @returns 1, 0 where it takes nothing for so long, or -errno */
export function untilWritable(fd: number, milliseconds: number): number {
  const poll = new Uint8Array(8);
  const view = new DataView(poll.buffer);
  view.setInt32(0, fd, true);
  view.setInt16(4, POLLOUT, true);
  const time = new BigInt64Array([
    BigInt(Math.floor(milliseconds / 1000)),
    BigInt(Math.floor((milliseconds % 1000) * 1e6)),
  ]);
  const result = libc().call("ppoll", poll, 1, new Uint8Array(time.buffer), 0);
  // A signal is looked at by the caller; it does not make a pipe any emptier.
  return result === -EINTR ? 0 : result;
}

/**
 * Reads a descriptor of unknown length to its end.
 * @returns the bytes, -errno, or "too-large" past `limit` bytes
 */
export function readToEnd(fd: number, limit: number): Uint8Array | number | "too-large" {
  // Most of what is read so is one line of /proc or /sys.
  const buffer = new Uint8Array(Math.min(limit, 4095) + 1);
  let all = buffer;
  let done = 0;
  for (;;) {
    if (done === all.byteLength) {
      const larger = new Uint8Array(Math.min(limit + 1, all.byteLength * 4));
      larger.set(all);
      all = larger;
    }
    const got = callThroughSignals("read", fd, all.subarray(done), all.byteLength - done);
    if (got < 0) return got;
    if (got === 0) return all.subarray(0, done);
    done += got;
    if (done > limit) return "too-large";
  }
}

/**
 * Reads a range of a file that had `size` bytes when it was opened. What the file has lost since is zeros,
 * and makes `isWhole` false.
 * @param doing for the message
 * @param into as in `ByteSource.read`
 * @throws RangeError outside of the file; KexecError `io-error`
 */
export function readRange(
  fd: number,
  size: number,
  offset: number,
  length: number,
  doing: string,
  into?: Uint8Array,
): { readonly bytes: Uint8Array; readonly isWhole: boolean } {
  if (offset < 0 || length < 0 || offset + length > size) {
    throw new RangeError(`bytes ${offset}+${length} are outside of a file of ${size}`);
  }
  const bytes = into?.subarray(0, length) ?? new Uint8Array(length);
  const got = length === 0 ? 0 : readAt(fd, bytes, offset);
  if (got < 0) throw ioError(doing, -got);
  // An array that was used before holds what lay there.
  if (into !== undefined) bytes.fill(0, got);
  return { bytes, isWhole: got === length };
}

/** The first `length` bytes of a file, or all there are; none where it cannot be read. */
export function readHead(path: string, length: number): Uint8Array {
  const fd = open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return new Uint8Array();
  const buffer = new Uint8Array(length);
  const got = readAt(fd, buffer, 0);
  close(fd);
  return buffer.subarray(0, Math.max(0, got));
}

/** A small text file of /proc or /sys: its text without the last newline, or why it has none. */
export type TextFile =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly errno: number };

/**
 * Reads a text file of at most `limit` bytes; a longer one is reported as EFBIG.
 * @param decode `nameText` where it has names of files.
 */
export function readText(path: string, limit = 1 << 16, decode = plainText): TextFile {
  const fd = open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) return { ok: false, errno: -fd };
  try {
    const bytes = readToEnd(fd, limit);
    if (bytes === "too-large") return { ok: false, errno: EFBIG };
    if (typeof bytes === "number") return { ok: false, errno: -bytes };
    const text = decode(bytes);
    return { ok: true, text: text.endsWith("\n") ? text.slice(0, -1) : text };
  } finally {
    close(fd);
  }
}

function plainText(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Writes `text` by one write(2), as a driver's attribute wants it. Returns 0, or -errno. */
export function writeWord(path: string, text: string): number {
  const fd = open(path, O_WRONLY);
  if (fd < 0) return fd;
  try {
    return writeAll(fd, new TextEncoder().encode(text));
  } finally {
    close(fd);
  }
}

// struct linux_dirent64, include/linux/dirent.h: u64 inode, s64 offset, u16 length, u8 type, name
const LENGTH_AT = 16;
const NAME_AT = 19;

/**
 * Names in an open directory, in no order and without `.` and `..`, or -errno. Reading stops once there are more than
 * `limit` of them. Of one that is not UTF-8 see `nameText`.
 */
export function readNames(fd: number, limit: number): readonly string[] | number {
  const buffer = new Uint8Array(1 << 16);
  const names: string[] = [];
  while (names.length <= limit) {
    const got = callThroughSignals("getdents64", fd, buffer, buffer.byteLength);
    if (got < 0) return got;
    if (got === 0) break;
    names.push(...parseDirents(buffer.subarray(0, got)));
  }
  return names;
}

/** The names in one answer of getdents64(2). */
function parseDirents(bytes: Uint8Array): string[] {
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
