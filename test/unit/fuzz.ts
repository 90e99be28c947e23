/** Seeded randomness and mutations: the same seed gives the same inputs on every machine. */

import { readFileSync, writeFileSync } from "node:fs";
import { libc } from "../../src/linux/libc.ts";

export interface Rng {
  /** An integer, at least 0 and below `bound`; 0 where `bound` is not positive. */
  below(bound: number): number;
  /** One of `choices`, which must not be empty. */
  pick<T>(choices: readonly T[]): T;
  bytes(length: number): Uint8Array;
}

/** A generator for this seed, a 32-bit integer (mulberry32). */
export function seeded(seed: number): Rng {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (bound: number) => Math.floor(next() * Math.max(0, bound));
  return {
    below,
    pick(choices) {
      const choice = choices[below(choices.length)];
      if (choice === undefined) throw new RangeError("nothing to pick from");
      return choice;
    },
    bytes: (length) => Uint8Array.from({ length }, () => below(256)),
  };
}

/** Milliseconds of processor time that this process has used: a busy machine adds none. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

const memoryLimit = 100 << 20;

/** From now on the process must not grow; ask the result how far it did, and it fails over 100 MiB. */
export function memoryWatch(): (largestInput: number) => void {
  Bun.gc(true);
  seeOneself();
  // Documentation/filesystems/proc.rst: 5 makes the peak the present size.
  writeFileSync("/proc/self/clear_refs", "5");
  const before = peakMemory();
  return (largestInput) => {
    const grown = peakMemory() - before;
    if (grown > memoryLimit + largestInput) {
      throw new Error(`memory grew by ${grown} bytes, over inputs of at most ${largestInput}`);
    }
  };
}

/** What has read a secret hides its process in /proc, from itself too where it is not root's: proc(5). */
export function seeOneself(): void {
  const PR_SET_DUMPABLE = 4;
  libc().call("prctl", PR_SET_DUMPABLE, 1);
}

function peakMemory(): number {
  const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  if (peak === undefined) throw new Error("/proc/self/status has no VmHWM");
  return Number(peak) * 1024;
}

// Values at which sizes, offsets and counters go wrong.
const edges = [
  0n,
  1n,
  2n,
  0x7fn,
  0x80n,
  0xffn,
  0x100n,
  0x7fffn,
  0x8000n,
  0xffffn,
  0x7fff_ffffn,
  0x8000_0000n,
  0xffff_fff8n,
  0xffff_ffffn,
  0x7fff_ffff_ffff_ffffn,
  0xffff_ffff_ffff_ffffn,
] as const;

// Where formats keep their headers; half of the mutations go there.
const headerSize = 1024;

/** Bytes of copies after which their garbage goes: on a busy machine the collector's threads come late. */
const mostGarbage = 32 << 20;
let copied = 0;

/** Counts bytes that a test copied, and lets go of them in time: they are none that the program took. */
export function copies(bytes: number): void {
  copied += bytes;
  if (copied <= mostGarbage) return;
  copied = 0;
  Bun.gc(true);
}

/** A mutated copy: one to six changes of bits, numbers, order or length. */
export function mutate(bytes: Uint8Array, rng: Rng): Uint8Array {
  copies(bytes.length);
  let result = Uint8Array.from(bytes);
  for (let changes = 1 + rng.below(6); changes > 0; changes--) result = change(result, rng);
  return result;
}

function change(bytes: Uint8Array<ArrayBuffer>, rng: Rng): Uint8Array<ArrayBuffer> {
  const reach = rng.below(2) === 0 ? Math.min(headerSize, bytes.length) : bytes.length;
  const at = rng.below(reach);
  const length = 1 + rng.below(rng.pick([2, 8, 64, 512]));
  switch (rng.below(9)) {
    case 0:
    case 1:
      if (at < bytes.length) bytes[at] = (bytes[at] ?? 0) ^ (1 << rng.below(8));
      return bytes;
    case 2:
      if (at < bytes.length) bytes[at] = rng.below(256);
      return bytes;
    case 3:
    case 4:
      return writeEdge(bytes, at, rng);
    case 5:
      return bytes.slice(0, at);
    case 6:
      return joined(bytes.subarray(0, at), bytes.subarray(at + length));
    case 7:
      return joined(bytes.subarray(0, at), rng.bytes(length), bytes.subarray(at));
    default: {
      const from = rng.below(bytes.length);
      bytes.copyWithin(at, from, from + length);
      return bytes;
    }
  }
}

function writeEdge(bytes: Uint8Array<ArrayBuffer>, at: number, rng: Rng): Uint8Array<ArrayBuffer> {
  const width = rng.pick([1, 2, 4, 8]);
  const edge = rng.pick([...edges, BigInt(bytes.length), BigInt(Math.max(0, bytes.length - at))]);
  const littleEndian = rng.below(4) > 0;
  for (let index = 0; index < width && at + index < bytes.length; index++) {
    const shift = BigInt(8 * (littleEndian ? index : width - 1 - index));
    bytes[at + index] = Number((edge >> shift) & 0xffn);
  }
  return bytes;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
