/**
 * The one door to the kernel: libc's `syscall(2)` through bun:ffi. Nothing else
 * in this project imports bun:ffi.
 */
import { dlopen, FFIType, ptr, read, toArrayBuffer } from "bun:ffi";
import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import { type SyscallName, syscallNumbers } from "./syscalls.ts";

/** An argument of a system call: an integer, or memory that the kernel reads or fills. */
export type Argument = number | Uint8Array;

/** The six arguments that the kernel's own convention has. */
type Registers = [number, number, number, number, number, number];

export interface Libc {
  readonly architecture: Architecture;
  /**
   * Makes one system call. Returns its result, or the negated errno.
   * Integers must be safe integers and buffers non-empty, or it throws before the call.
   */
  call(name: SyscallName, ...args: readonly Argument[]): number;
  /** The memory of this process at `address`, `length` bytes, without a copy. */
  memory(address: number, length: number): Uint8Array;
}

/** The process has one libc; opening it costs a millisecond, so it is kept. */
let opened: Libc | undefined;

/**
 * The libc of this process.
 * @throws KexecError `unsupported-platform`, `unsupported-architecture`, `no-jit`, `no-libc`
 */
export function libc(): Libc {
  opened ??= open();
  return opened;
}

/** @throws KexecError `unsupported-platform` on anything but Linux. */
export function requireLinux(): void {
  if (process.platform !== "linux") {
    throw cannot(`run on ${process.platform}`, {
      code: "unsupported-platform",
      why: "kexec_file_load(2) exists on Linux only",
      hint: "run it on the Linux machine that is to be handed over",
    });
  }
}

function architectureOf(arch: string): Architecture {
  if (arch === "x64") return "x86_64";
  if (arch === "arm64") return "aarch64";
  throw cannot(`run on ${arch}`, {
    code: "unsupported-architecture",
    why: "only x86_64 and aarch64 have kexec_file_load(2) here",
  });
}

// i64 throws on null, undefined, strings and buffers, where the 32-bit types would quietly pass 0.
const word = "i64";

function openSymbols() {
  try {
    // glibc and musl both answer to this name for the libc that the process already runs on.
    return dlopen("libc.so.6", {
      syscall: { args: [word, word, word, word, word, word, word], returns: FFIType.i64_fast },
      __errno_location: { args: [], returns: "ptr" },
    }).symbols;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    if (/JIT/.test(message)) {
      throw cannot(
        "call the kernel",
        {
          code: "no-jit",
          why: "this process was not given memory for a JIT",
          hint: "lift RLIMIT_AS (ulimit -v) to 2.4 GB or more, set vm.overcommit_memory to 0 or 1, and leave out what forbids memory that is written and run: MemoryDenyWriteExecute= of systemd, execmem of SELinux",
        },
        { cause },
      );
    }
    throw cannot(
      "call the kernel",
      {
        code: "no-libc",
        why: "libc.so.6 could not be opened",
        hint: "put the C library that the binary was built for into the initramfs",
      },
      { cause },
    );
  }
}

function open(): Libc {
  requireLinux();
  const architecture = architectureOf(process.arch);
  const symbols = openSymbols();
  const errnoLocation = Number(symbols.__errno_location());
  if (errnoLocation === 0) {
    throw cannot("call the kernel", { code: "no-libc", why: "libc has no errno" });
  }

  const column = architecture === "x86_64" ? 0 : 1;

  // One function: a system call is made dozens of times a load, and each function that often becomes
  // one to be compiled.
  function call(name: SyscallName, ...args: readonly Argument[]): number {
    const registers: Registers = [0, 0, 0, 0, 0, 0];
    for (let at = 0; at < args.length; at++) {
      const argument = args[at];
      if (typeof argument === "number") {
        if (!Number.isSafeInteger(argument)) {
          throw new TypeError(`${name}: argument ${argument} is not a safe integer`);
        }
        registers[at] = argument;
      } else if (argument !== undefined) {
        // ptr() of an empty array returns an Error object instead of throwing.
        if (argument.byteLength === 0) throw new TypeError(`${name}: empty buffer`);
        registers[at] = ptr(argument);
      }
    }
    const result = Number(
      symbols.syscall(
        syscallNumbers[name][column],
        registers[0],
        registers[1],
        registers[2],
        registers[3],
        registers[4],
        registers[5],
      ),
    );
    // Nothing may run between the call and this read: any other call could overwrite errno.
    const errno = result === -1 ? read.i32(errnoLocation, 0) : 0;
    // The kernel has seen only addresses: this use after the call keeps the buffers from collection.
    for (let at = 0; at < args.length; at++) {
      const argument = args[at];
      if (typeof argument === "object" && argument.byteLength < 0) throw new RangeError();
    }
    return result === -1 ? -errno : result;
  }

  return {
    architecture,
    call,
    memory: (address, length) => new Uint8Array(toArrayBuffer(address, 0, length)),
  };
}
