/**
 * Lets the runtime take its random numbers from the kernel by getrandom(2).
 *
 * The runtime seeds its hash tables from /dev/urandom: it opens that at the start, aborts where
 * there is no /dev, and keeps the descriptor, whose number somebody else may have been promised.
 * So the one function that reads it gets another body of the same purpose, in its own place:
 *
 *   void fill(uint8_t *to, size_t length)
 *
 * It asks with GRND_INSECURE, which is what /dev/urandom does: it waits for nothing, also early in
 * boot. Kernels before 5.6 do not know that flag; they are asked without it, and may wait.
 * What is no interruption and no such kernel ends the process, as the old body does.
 */

import { findOnly } from "./code.ts";
import type { Target } from "./targets.ts";

/** System calls: arch/x86/entry/syscalls/syscall_64.tbl. rdi and rsi outlive them. */
const x64 = hex(`
  ba 04 00 00 00   mov edx, GRND_INSECURE
  48 85 f6         next: test rsi, rsi
  74 2a            jz done
  b8 3e 01 00 00   mov eax, getrandom (318)
  0f 05            syscall
  48 85 c0         test rax, rax
  78 08            js failed
  48 01 c7         add rdi, rax
  48 29 c6         sub rsi, rax
  eb e7            jmp next
  48 83 f8 fc      failed: cmp rax, -EINTR
  74 e1            je next
  48 83 f8 ea      cmp rax, -EINVAL
  75 08            jne crash
  85 d2            test edx, edx
  74 04            jz crash
  31 d2            xor edx, edx
  eb d3            jmp next
  0f 0b            crash: ud2
  c3               done: ret
`);

/** System calls: include/uapi/asm-generic/unistd.h. Little endian, as in memory. */
const arm64 = hex(`
  e3 03 00 aa      mov x3, x0
  82 00 80 d2      mov x2, GRND_INSECURE
  01 02 00 b4      next: cbz x1, done
  e0 03 03 aa      mov x0, x3
  c8 22 80 d2      mov x8, getrandom (278)
  01 00 00 d4      svc 0
  80 00 f8 b7      tbnz x0, 63, failed
  63 00 00 8b      add x3, x3, x0
  21 00 00 cb      sub x1, x1, x0
  f9 ff ff 17      b next
  1f 10 00 b1      failed: cmn x0, EINTR
  e0 fe ff 54      b.eq next
  1f 58 00 b1      cmn x0, EINVAL
  81 00 00 54      b.ne crash
  62 00 00 b4      cbz x2, crash
  02 00 80 d2      mov x2, 0
  f2 ff ff 17      b next
  20 00 20 d4      crash: brk 1
  c0 03 5f d6      done: ret
`);

/**
 * How the function begins in each runtime: WTF's cryptographicallyRandomValuesFromOS. In musl's the
 * reader is a function of its own, to which this one goes.
 */
const beginnings: Readonly<Record<Target["name"], Uint8Array>> = {
  "linux-x64": hex(`
    55 48 89 e5 41 57 41 56 53 50 48 89 f3 49 89 fe 0f b6 05 69 d9 72 03 84 c0 74 59 48 85 db
    74 49 45 31 ff eb 13 66 2e 0f 1f 84 00 00 00 00 00 90 49 01 c7 49 39 df
  `),
  "linux-x64-musl": hex(`
    55 48 89 e5 41 56 53 48 89 f3 49 89 fe 8a 05 5f 04 4c 01 84 c0 74 14 bf 78 5a 9b 04 4c 89
    f6 48 89 da 5b 41 5e 5d e9 6b 00 00 00 bf 80 5a 9b 04 e8 1d 0b 2f 01 85
  `),
  "linux-arm64": hex(`
    fd 7b bd a9 f6 57 01 a9 f4 4f 02 a9 fd 03 00 91 e8 c4 01 90 08 c1 07 91 f3 03 01 aa
    f4 03 00 aa 08 fd df 08 68 03 00 36 d3 02 00 b4 f5 03 1f aa f6 c4 01 90 06 00 00 14
    1f 20 03 d5 1f 20 03 d5 15 00 15 8b bf 02 13 eb c2 01 00 54
  `),
  "linux-arm64-musl": hex(`
    ff 83 00 d1 fd 7b 01 a9 fd 43 00 91 c8 a3 00 90 08 61 28 91 e2 03 01 aa e1 03 00 aa
    08 fd df 08 c8 00 00 36 fd 7b 41 a9 c0 a3 00 90 00 40 28 91 ff 83 00 91 2c 00 00 14
    c0 a3 00 90 00 60 28 91 e2 07 00 f9 e1 03 00 f9 ba f1 49 94
  `),
};

/**
 * Puts the new body in, in place.
 *
 * @throws Error when the function is not found exactly once: the runtime is another one.
 */
export function askKernelForRandom(file: Buffer, target: Target): void {
  const beginning = beginnings[target.name];
  const body = target.architecture === "x64" ? x64 : arm64;
  if (body.length > beginning.length) throw new Error("the new body is longer than what is known");
  file.set(body, findOnly(file, beginning, "what reads /dev/urandom"));
}

/** Bytes from a listing: two hexadecimal digits each, then perhaps an instruction. */
function hex(listing: string): Uint8Array {
  const bytes = listing
    .trim()
    .split("\n")
    .map((line) => /^\s*((?:[0-9a-f]{2} ?)+)(?:\s|$)/.exec(line)?.[1] ?? "");
  return Uint8Array.fromHex(bytes.join("").replaceAll(" ", ""));
}
