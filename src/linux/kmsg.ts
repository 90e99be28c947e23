/** The kernel log, /dev/kmsg: Documentation/ABI/testing/dev-kmsg. */

import { EAGAIN, EINVAL, EPIPE } from "../errno.ts";
import {
  callThroughSignals,
  close,
  O_NONBLOCK,
  O_RDONLY,
  O_WRONLY,
  open,
  writeAll,
} from "./descriptor.ts";
import { libc } from "./libc.ts";

/** One record; the kernel itself splits longer ones (PRINTKRB_RECORD_MAX, printk.c, is below). */
const RECORD_MAX = 8192;
/** Lines that are kept at the most: a driver that floods the log must not flood the error. */
const LINES_MAX = 64;
const SEEK_END = 2;

/**
 * Watches the lines that the kernel logs from now on. It sees none where /dev/kmsg cannot be opened,
 * which takes CAP_SYSLOG where `dmesg_restrict` is 1.
 */
export class KernelLog implements Disposable {
  private constructor(private readonly fd: number | undefined) {}

  static fromNow(): KernelLog {
    const fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
    if (fd < 0) return new KernelLog(undefined);
    libc().call("lseek", fd, 0, SEEK_END);
    return new KernelLog(fd);
  }

  /** The kernel's own lines since the last call, at most 64, without prefix. */
  lines(): string[] {
    const found: string[] = [];
    if (this.fd === undefined) return found;
    const record = new Uint8Array(RECORD_MAX);
    // Each read takes one record, so that a flood ends this loop too.
    for (let reads = 0; reads < 16 * LINES_MAX && found.length < LINES_MAX; reads++) {
      const length = callThroughSignals("read", this.fd, record, record.byteLength);
      // EPIPE: records were overwritten before they were read; the next read goes on behind them.
      if (length === -EPIPE || length === -EINVAL) continue;
      if (length === -EAGAIN || length <= 0) break;
      const line = parseRecord(new TextDecoder().decode(record.subarray(0, length)));
      if (line !== undefined) found.push(line);
    }
    return found;
  }

  [Symbol.dispose](): void {
    if (this.fd !== undefined) close(this.fd);
  }
}

/** Bytes of a line: devkmsg_write, kernel/printk/printk.c, takes fewer than PRINTKRB_RECORD_MAX of 1024. */
const LINE_MAX = 960;
/** Facility "user", severity "debug": syslog(3). It is kept, and not printed over the console. */
const PREFIX = "<15>aegis-kexec: ";

/** Logs a line of this program's; a long one is cut. That it cannot be logged does not matter. */
export function logToKernel(line: string): void {
  const fd = open("/dev/kmsg", O_WRONLY | O_NONBLOCK);
  if (fd < 0) return;
  writeAll(fd, lineBytes(line));
  close(fd);
}

/**
 * One record, whole characters only. Without its newline it would be kept open for more, and shown to nobody
 * until the next record: prb_commit, kernel/printk/printk_ringbuffer.c.
 */
export function lineBytes(line: string): Uint8Array {
  const bytes = new TextEncoder().encode(`${PREFIX}${line}\n`);
  if (bytes.byteLength <= LINE_MAX) return bytes;
  let end = LINE_MAX - 4;
  // Not inside of a character: RFC 3629.
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return new Uint8Array([...bytes.subarray(0, end), ...new TextEncoder().encode("...\n")]);
}

/** Records that are looked through for one that was written at boot. */
const MOST_RECORDS = 20_000;

/** The first line that the kernel still has in its log and that fits; undefined without one. */
export function findInKernelLog(pattern: RegExp): string | undefined {
  let found: string | undefined;
  eachLine((line) => {
    if (!pattern.test(line)) return false;
    found = line;
    return true;
  });
  return found;
}

/**
 * Whether a line that fits was logged since boot; undefined where the log cannot be read, or has
 * lost its beginning and with it perhaps the line.
 */
export function loggedSinceBoot(pattern: RegExp): boolean | undefined {
  let found = false;
  let begins = false;
  eachLine((line) => {
    // start_kernel, init/main.c: among the first lines.
    begins ||= line.startsWith("Kernel command line:");
    found = pattern.test(line);
    return found;
  });
  return found || (begins ? false : undefined);
}

/** Goes through the kernel's own lines, from the oldest on, until one is the last that is wanted. */
function eachLine(isLast: (line: string) => boolean): void {
  const fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK);
  if (fd < 0) return;
  const record = new Uint8Array(RECORD_MAX);
  const decoder = new TextDecoder();
  try {
    for (let reads = 0; reads < MOST_RECORDS; reads++) {
      const length = callThroughSignals("read", fd, record, record.byteLength);
      if (length === -EPIPE || length === -EINVAL) continue;
      if (length <= 0) return;
      const line = parseRecord(decoder.decode(record.subarray(0, length)));
      if (line !== undefined && isLast(line)) return;
    }
  } finally {
    close(fd);
  }
}

/**
 * The message of one record, `prefix;message`, with what a terminal could take for commands made
 * visible; undefined for a record that user space wrote (facility other than 0, "kern").
 */
export function parseRecord(record: string): string | undefined {
  const match = /^(\d{1,10}),[^;\n]*;([^\n]*)/.exec(record);
  if (match === null) return undefined;
  const facility = Number(match[1]) >> 3;
  if (facility !== 0) return undefined;
  return (match[2] ?? "").replace(/[\x00-\x1f\x7f-\x9f]/g, "?");
}
