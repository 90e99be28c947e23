/** Samples and small tools that the tests of this room share. */
import { expect } from "bun:test";
import { KexecError } from "../../../src/errors.ts";

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

/** A bootconfig trailer as tools/bootconfig writes it, without its padding. */
export function bootconfigTrailer(text: string): Uint8Array {
  const data = bytes(text);
  const header = new Uint8Array(8);
  const view = new DataView(header.buffer);
  view.setUint32(0, data.length, true);
  view.setUint32(
    4,
    data.reduce((sum, byte) => sum + byte, 0),
    true,
  );
  return concat(data, header, bytes("#BOOTCONFIG\n"));
}

/** A deterministic generator of whole numbers below `limit` (mulberry32). */
export function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** The KexecError that the call throws; fails when it throws none, or another error. */
export function refusal(call: () => unknown): KexecError {
  try {
    call();
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
  expect.unreachable("the call was expected to be refused");
}
