/** Whether a descriptor is a terminal, and whether it has sent all: tty_ioctl(2). */
import { callThroughSignals } from "../descriptor.ts";

const TCGETS = 0x5401; // include/uapi/asm-generic/ioctls.h, the same on x86_64 and arm64
const TIOCOUTQ = 0x5411;
const TERMIOS_ROOM = 64; // struct termios is 36 bytes: include/uapi/asm-generic/termbits.h

const DRAIN_STEP_MS = 5;
/** Enough for a few kilobytes at 9600 baud. */
const DRAIN_MOST_MS = 3000;
/** What the 16 bytes that a UART holds itself take at 9600 baud. */
const FIFO_MS = 20;

/** @throws KexecError off Linux, or without the means to make system calls */
export function isTerminal(fd: number): boolean {
  return callThroughSignals("ioctl", fd, TCGETS, new Uint8Array(TERMIOS_ROOM)) === 0;
}

/**
 * Waits until a terminal has sent what was written to it: a serial line's buffer is lost in a jump.
 * One that is held up, as by flow control, is given up. Anything else than a terminal has nothing to send.
 * @throws KexecError off Linux, or without the means to make system calls
 */
export function drainTerminal(fd: number): void {
  const waiting = new Int32Array(1);
  const isWaiting = () =>
    callThroughSignals("ioctl", fd, TIOCOUTQ, new Uint8Array(waiting.buffer)) === 0 &&
    waiting[0] !== 0;
  for (let waited = 0; isWaiting(); waited += DRAIN_STEP_MS) {
    if (waited >= DRAIN_MOST_MS) return;
    Bun.sleepSync(DRAIN_STEP_MS);
  }
  // Not by tcdrain(3), which stops a process in the background.
  if (isTerminal(fd)) Bun.sleepSync(FIFO_MS);
}
