/** Signals that must not end the process, whatever they mean by default: rt_sigaction(2). */

import { libc } from "./libc.ts";

/**
 * struct sigaction of the kernel: handler, flags, restorer and mask, 8 bytes each. arm64 has the
 * restorer too: arch/arm64/include/uapi/asm/signal.h.
 */
const ACTION_SIZE = 32;
/** struct sigset_t of the kernel. */
const SET_SIZE = 8;
/** include/uapi/asm-generic/signal-defs.h */
const SIG_IGN = 1;
const LAST_SIGNAL = 64;

/**
 * Left alone: HUP INT QUIT TERM, which are caught; ILL TRAP ABRT BUS FPE SEGV SYS, faults of the
 * process itself; KILL and STOP, which nobody can keep off; CHLD, URG, CONT and WINCH, which end nothing; PWR, by which
 * the runtime stops its threads; 33, by which libc changes the rights of all of them.
 */
const leftAlone: ReadonlySet<number> = new Set([
  ...[1, 2, 3, 15],
  ...[4, 5, 6, 7, 8, 11, 31],
  ...[9, 19],
  ...[17, 18, 23, 28],
  ...[30, 33],
]);

/** The signals of which nothing is heard: 10, 12, 13, 14 and others, and the real-time ones. */
export function ignorable(): readonly number[] {
  return Array.from({ length: LAST_SIGNAL }, (_, index) => index + 1).filter(
    (signal) => !leftAlone.has(signal),
  );
}

/** Ignores them until disposal. By the raw call: libc's own refuses 32. */
export function ignoreSignals(): Disposable {
  const ignore = new Uint8Array(ACTION_SIZE);
  ignore[0] = SIG_IGN;
  const before = ignorable().map((signal) => {
    const old = new Uint8Array(ACTION_SIZE);
    const result = libc().call("rt_sigaction", signal, ignore, old, SET_SIZE);
    return { signal, old: result === 0 ? old : undefined };
  });
  return {
    [Symbol.dispose]: () => {
      for (const { signal, old } of before) {
        if (old !== undefined) libc().call("rt_sigaction", signal, old, 0, SET_SIZE);
      }
    },
  };
}
