/**
 * Makes two builds of the same sources the same bytes.
 *
 * While it bundles, Bun names each chunk by a random number and the chunk's own, and puts the real
 * name in its place at the end; not so in the list of a module's names beside the bytecode. There
 * the random names stay, each with its hash before it. Nothing looks for them, but a hash has to be
 * its name's: so both are written anew, by another number that is always the same.
 */

/** 16 hexadecimal digits, "C", 8 digits. */
const name = /([0-9a-f]{16})C\d{8}/g;
const nameLength = 25;
const steady = "0".repeat(16);

/**
 * Replaces them, in place.
 *
 * @returns How many there were.
 * @throws Error where they are not what they are taken for.
 */
export function steadyNames(file: Uint8Array): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const found = [...bytes.toString("latin1").matchAll(name)].filter(
    // The length of an 8-bit text; others are the runtime's own
    ({ index }) => index >= 8 && bytes.readUInt32LE(index - 8) === 0x8000_0000 + nameLength,
  );
  if (new Set(found.map(([, random]) => random)).size > 1) {
    throw new Error("chunks were named by more than one random number: look at the new Bun anew");
  }
  for (const { 0: text, index } of found) {
    if (bytes.readUInt32LE(index - 4) !== hashOf(text)) {
      throw new Error("a chunk's name has another hash than expected: look at the new Bun anew");
    }
    const other = steady + text.slice(steady.length);
    bytes.writeUInt32LE(hashOf(other), index - 4);
    bytes.write(other, index, "latin1");
  }
  return found.length;
}

/** As JavaScriptCore hashes texts: 24 bits, none of them all zero (WTF, StringHasher). */
export function hashOf(text: string): number {
  return Number(Bun.hash.rapidhash(text, 0n) & 0xff_ffffn) || 0x80_0000;
}
