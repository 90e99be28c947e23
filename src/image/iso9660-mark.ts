/** By what an ISO 9660 image is known: ECMA-119. */
import { type ByteSource, hasMagic, magicOf, readWithin } from "./bytes.ts";

/** Logical sectors: ECMA-119, 6.1.2. */
export const sectorSize = 2048;
export const firstDescriptor = 16 * sectorSize;
export const identifier = magicOf("CD001");

/** Whether this is the beginning of an ISO 9660 image. Reads six bytes. */
export function isIso9660(source: ByteSource): boolean {
  const start = readWithin(source, firstDescriptor + 1, identifier.length);
  return start !== undefined && hasMagic(start, 0, identifier);
}
