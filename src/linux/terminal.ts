/** Whether a descriptor is a terminal: tty_ioctl(2), as isatty(3) asks. */
import { callThroughSignals } from "./descriptor.ts";

const TCGETS = 0x5401; // include/uapi/asm-generic/ioctls.h, the same on x86_64 and arm64
const TERMIOS_ROOM = 64; // struct termios is 36 bytes: include/uapi/asm-generic/termbits.h

/** @throws KexecError off Linux, or without the means to make system calls */
export function isTerminal(fd: number): boolean {
  return callThroughSignals("ioctl", fd, TCGETS, new Uint8Array(TERMIOS_ROOM)) === 0;
}
