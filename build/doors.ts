/**
 * Closes the doors by which the environment reaches into the Bun runtime.
 *
 * Unknown `KEY=value` words of the kernel command line become the environment
 * of init, and so of everything that an initramfs runs
 * (init/main.c, unknown_bootoption). Nobody who may only choose a command line
 * must thereby choose the program.
 *
 * Most doors are names given to getenv(3). The first byte of such a name
 * becomes NUL: the name is then empty, which no environment can hold, and for
 * which glibc and musl return NULL without a look. Another letter would not do,
 * and `=` least of all: the kernel passes `=UN_BE_BUN=1` on, and glibc finds it.
 *
 * What stays open, because it is decided before or below the runtime:
 * - `LD_PRELOAD`, `LD_LIBRARY_PATH`, `LD_AUDIT`, `GLIBC_TUNABLES`: the loader's.
 *   They need a library that is already in the file system.
 * - `MIMALLOC_*`: the allocator's, whose names are put together at run time. They
 *   make it talk on standard error or run out of memory; they run nothing and
 *   write no file.
 * - `BUN_CONFIG_MAX_HTTP_REQUESTS` draws a warning when it is no number, `TZ` makes
 *   libc read a time zone file, `UV_THREADPOOL_SIZE`, `GOMAXPROCS`,
 *   `WTF_numberOfProcessorCores`, `BUN_GC_*` and the like only tune.
 */

import { findOnly, hex } from "./code.ts";
import type { Target } from "./targets.ts";

interface Door {
  readonly name: string;
  /** Whose runtime has it; all of them when left out. */
  readonly only?: Target["architecture"];
}

/** Some of them do nothing in this Bun's compiled programs; they cost nothing to close, and stay closed. */
const doors: readonly Door[] = [
  // Another program in place of this one
  { name: "BUN_BE_BUN" },
  { name: "BUN_OPTIONS" },
  // Other code before or beside the program
  { name: "BUN_INSPECT" },
  { name: "BUN_INSPECT_CONNECT_TO" },
  { name: "BUN_INSPECT_PRELOAD" },
  { name: "NODE_CHANNEL_FD" },
  // A crash runs `curl` and sends the report away
  { name: "BUN_ENABLE_CRASH_REPORTING" },
  { name: "BUN_CRASH_REPORT_URL" },
  // Data of the time zones and languages out of another folder: unicode/putil.h, u_getDataDirectory
  { name: "ICU_DATA" },
  { name: "ICU_TIMEZONE_FILES_DIR" },
  // Other authorities for servers, or none; another way to them; every request told on standard error
  { name: "NODE_EXTRA_CA_CERTS" },
  { name: "NODE_USE_SYSTEM_CA" },
  { name: "NODE_TLS_REJECT_UNAUTHORIZED" },
  { name: "SSL_CERT_FILE" },
  { name: "SSL_CERT_DIR" },
  { name: "HTTP_PROXY" },
  { name: "HTTPS_PROXY" },
  { name: "http_proxy" },
  { name: "https_proxy" },
  { name: "BUN_CONFIG_VERBOSE_FETCH" },
  // Every child killed at exit
  { name: "BUN_FEATURE_FLAG_NO_ORPHANS" },
  // No start at all: no JIT for bun:ffi, a wrong signal number, another instruction set
  { name: "JavaScriptCoreUseJIT" },
  { name: "JSC_SIGNAL_FOR_GC" },
  { name: "SIMDUTF_FORCE_IMPLEMENTATION", only: "x64" },
  // Escape sequences where there is no terminal
  { name: "FORCE_COLOR" },
];

/**
 * `BUN_JSC_*` sets any option of the JavaScript engine, among them one that
 * reads a file of options and one that replaces function bodies from a file,
 * for which `/proc/cmdline` would do. The prefix is compared byte by byte in
 * machine code. Reading the second byte at the place of the first leaves a
 * comparison that nothing passes: one byte that is `B` and `U`.
 */
const engineOptions: Readonly<Record<Target["architecture"], CodePatch>> = {
  x64: {
    //          cmpb $'B',(%r14)  jne        cmpb $'U',1(%r14)  jne   cmpb $'N',2(%r14)
    code: hex("41 80 3e 42        75 e9      41 80 7e 01 55     75 e2 41 80 7e 02 4e"),
    at: 9,
    from: 0x01,
    to: 0x00,
  },
  arm64: {
    //         ldrb w9,[x8]   cmp w9,#'B'   b.ne         ldrb w9,[x8,#1]   cmp w9,#'U'
    code: hex("09 01 40 39    3f 09 01 71   01 ff ff 54  09 05 40 39       3f 55 01 71"),
    at: 13,
    from: 0x05,
    to: 0x01,
  },
};

interface CodePatch {
  readonly code: Uint8Array;
  /** Offset of the changed byte within `code`. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/**
 * Closes every door in a Bun runtime, in place, its length unchanged.
 *
 * @throws Error when a door is not found exactly once: the runtime is another
 *   one than this list was made for.
 */
export function closeDoors(file: Buffer, architecture: Target["architecture"]): void {
  for (const door of doors) {
    if (door.only !== undefined && door.only !== architecture) continue;
    const name = Buffer.from(`\0${door.name}\0`, "latin1");
    file[findOnly(file, name, door.name) + 1] = 0;
  }
  const { code, at, from, to } = engineOptions[architecture];
  const offset = findOnly(file, code, "the comparison with BUN_JSC_") + at;
  if (file[offset] !== from) throw new Error("the patch of BUN_JSC_ is out of step with its code");
  file[offset] = to;
}

/** Names of the closed getenv doors of one architecture, for the tests. */
export function doorNames(architecture: Target["architecture"]): readonly string[] {
  return doors
    .filter(({ only }) => only === undefined || only === architecture)
    .map(({ name }) => name);
}
