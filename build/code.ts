/** Where the runtime is changed: bytes that must be in it once. */

/**
 * @param what names the bytes in the message
 * @returns where they are
 * @throws Error when they are not there exactly once: the runtime is another one.
 */
export function findOnly(file: Buffer, wanted: Uint8Array, what: string): number {
  const first = file.indexOf(wanted);
  if (first === -1) throw new Error(`${what} is not in this runtime: look at the new Bun anew`);
  if (file.indexOf(wanted, first + 1) !== -1) {
    throw new Error(`${what} is in this runtime more than once: look at the new Bun anew`);
  }
  return first;
}

/** Bytes of hexadecimal digits, with spaces wherever they help. */
export function hex(text: string): Uint8Array {
  return Uint8Array.fromHex(text.replaceAll(" ", ""));
}
