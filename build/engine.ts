/**
 * Sets two defaults of the JavaScript engine for a program whose runs last milliseconds. Their names
 * are JavaScriptCore's: Source/JavaScriptCore/runtime/OptionsList.h, of Bun's branch of WebKit.
 *
 * `thresholdForJITAfterWarmUp`, 500: what is called 34 times, or loops 500 times, is compiled to machine
 * code by threads begun for it (executionCounterIncrementForEntry is 15, executionCounterIncrementForLoop 1).
 * A load or a status comes to that in a few functions, and ends before it is paid back. Ten times as much
 * keeps a plain load from it, a hundred times an inspection or a load with a secret as well; what has long
 * lists to read, a menu of 1,000 entries, then takes a few hundredths longer.
 *
 * `warmUpMarkedBlockCount`, 32: a thread makes so many blocks of the heap resident ahead of their use. A
 * load comes to where that thread starts, and to little of what it makes ready. 0 turns it off.
 */

import { findOnly, hex } from "./code.ts";
import type { Target } from "./targets.ts";

export interface EngineChange {
  /** The option's name. */
  readonly what: string;
  readonly from: Uint8Array;
  /** The same length. */
  readonly to: Uint8Array;
}

/**
 * Four options of 32 bits, as the initialisation of the options copies them, which alone reads them:
 * thresholdForJITAfterWarmUp, thresholdForJITSoon, thresholdForOptimizeAfterWarmUp, thresholdForOptimizeAfterLongWarmUp.
 */
const threshold: EngineChange = {
  what: "thresholdForJITAfterWarmUp",
  from: hex("f4 01 00 00  64 00 00 00  e8 03 00 00  e8 03 00 00"),
  to: hex("50 c3 00 00  64 00 00 00  e8 03 00 00  e8 03 00 00"),
};

/** Where the initialisation sets warmUpMarkedBlockCount and, behind it, warmUpMarkedBlockStartAfterBlocks (64). */
const x64: EngineChange = {
  what: "warmUpMarkedBlockCount",
  //        movabs rax, 64 << 32 | 32
  from: hex("48 b8 20 00 00 00 40 00 00 00"),
  //      movabs rax, 64 << 32
  to: hex("48 b8 00 00 00 00 40 00 00 00"),
};

/**
 * On arm64 both come from a constant that others share. x9 is free from there on to the `adrp` that
 * sets it, which does not care where in its page of 4 KiB it stands; d0 is set again before it is read.
 */
function arm64(load: string, page: string, next: string): EngineChange {
  //         add x8,x20,580  str q0,[x25,2416]
  const before = "88 12 09 91  20 5f 82 3d";
  return {
    what: "warmUpMarkedBlockCount",
    //                ldr d0,[x9,…]  adrp x9,…  str d0,[x8]   ldr d0,[x9,…]
    from: hex(`${before}  ${load}      ${page}    00 01 00 fd   ${next}`),
    //              mov x9,64<<32  str x9,[x8]  adrp x9,…  ldr d0,[x9,…]
    to: hex(`${before}  09 08 c0 d2    09 01 00 f9  ${page}    ${next}`),
  };
}

const warmUp: Readonly<Record<Target["name"], EngineChange>> = {
  "linux-x64": x64,
  "linux-x64-musl": x64,
  "linux-arm64": arm64("20 e1 45 fd", "a9 c4 ff b0", "20 c9 47 fd"),
  "linux-arm64-musl": arm64("20 29 43 fd", "09 63 fe 90", "20 b1 44 fd"),
};

/** What is changed in a target's runtime. */
export function engineChanges(name: Target["name"]): readonly EngineChange[] {
  return [threshold, warmUp[name]];
}

/**
 * Sets both, in place.
 *
 * @throws Error when one is not found exactly once: the runtime is another one.
 */
export function expectShortRuns(file: Buffer, name: Target["name"]): void {
  for (const { what, from, to } of engineChanges(name)) file.set(to, findOnly(file, from, what));
}
