/**
 * Standard output and standard error. On Linux by write(2): the result of each write is known, and
 * `process.stdout` would double the start-up time. Elsewhere, and where no system call can be made,
 * by the console, so that even that can be said.
 */
import { KexecError } from "../../errors.ts";
import { writeAll, writeWithin } from "../../linux/descriptor.ts";
import { drainTerminal, isTerminal } from "../../linux/device/terminal.ts";
import { libc } from "../../linux/libc.ts";
import { readLink } from "../../linux/path.ts";

export const STDOUT = 1;
export const STDERR = 2;
export type Stream = typeof STDOUT | typeof STDERR;

/** Milliseconds that writes may still wait for whoever reads them; undefined: for ever. */
let patience: number | undefined;

/** From here on what cannot be said in five seconds, all together, is not said. */
export function limitWrites(): void {
  patience ??= 5000;
}

function write(stream: Stream, text: string): number {
  const bytes = new TextEncoder().encode(text);
  if (patience === undefined) return writeAll(stream, bytes);
  return writeWithin(stream, bytes, patience, (milliseconds) => {
    patience = Math.max(0, (patience ?? 0) - milliseconds);
  });
}

/**
 * Writes lines.
 * @returns 0, or -errno
 */
export function writeLines(stream: Stream, lines: readonly string[]): number {
  if (lines.length === 0) return 0;
  const text = lines.join("\n");
  try {
    return write(stream, `${text}\n`);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    if (stream === STDOUT) console.log(text);
    else console.error(text);
    return 0;
  }
}

/** Writes lines to a descriptor of the caller's, until that fails or takes none for five seconds. */
export function lineWriter(fd: number): (line: string) => void {
  let left = 5000;
  return (line) => {
    if (left <= 0) return;
    const result = writeWithin(fd, new TextEncoder().encode(`${line}\n`), left, (milliseconds) => {
      left -= milliseconds;
    });
    if (result < 0) left = 0;
  };
}

/** Writes text that stays on its line, for a progress display. A failure does not matter. */
export function writeInPlace(stream: Stream, text: string): void {
  try {
    write(stream, text);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
  }
}

/** Whether the stream is a terminal; false where that cannot be asked. */
export function onTerminal(stream: Stream): boolean {
  try {
    return isTerminal(stream);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return false;
  }
}

/** include/uapi/linux/fcntl.h */
const F_GETFD = 1;
const FD_CLOEXEC = 1;

/**
 * Whether the caller had closed the stream: the runtime opens /dev/null in its place, close-on-exec, as nothing
 * is that was inherited. False where that cannot be asked.
 */
export function wasClosed(stream: Stream): boolean {
  try {
    const flags = libc().call("fcntl", stream, F_GETFD, 0);
    return (flags & FD_CLOEXEC) !== 0 && readLink(`/proc/self/fd/${stream}`) === "/dev/null";
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return false;
  }
}

/** Waits, but not for ever, until a terminal has shown what was written. */
export function drain(stream: Stream): void {
  try {
    drainTerminal(stream);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
  }
}
