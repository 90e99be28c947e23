/**
 * Ed25519 (RFC 8032): the encodings that must not be accepted, and verification
 * by the runtime. BoringSSL checks that S is below L, but takes small-order
 * keys and keys that are not canonical: under a small-order key a signature can
 * be made without any private key.
 */

import { sameBytes } from "./text.ts";

/** Bytes in an encoded point, and in a scalar (RFC 8032, section 5.1). */
export const pointLength = 32;

/** Bytes in a signature: R, then S (RFC 8032, section 5.1.6). */
export const signatureLength = 64;

// RFC 8032, section 5.1: the prime of the field and the order of the base point, little-endian.
const p = "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";
const l = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";

// y of the two points with x = 0, for which the sign bit must be clear (RFC 8032, section 5.1.3).
const one = "0100000000000000000000000000000000000000000000000000000000000000";
const minusOne = "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

/**
 * y of the eight points whose order divides 8; the sign bit does not matter.
 * libsodium, crypto_core/ed25519/ref10/ed25519_ref10.c, ge25519_has_small_order;
 * Cremers and Jackson, "Prime, Order Please!", 2019. libsodium's other
 * entries, p and p + 1, are not canonical.
 */
const smallOrder = [
  "0000000000000000000000000000000000000000000000000000000000000000",
  one,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  minusOne,
];

/** Whether the little-endian number `bytes` is below the little-endian number `limit`, in hex. */
function isBelow(bytes: Uint8Array, limit: string): boolean {
  const bound = Uint8Array.fromHex(limit);
  for (let index = pointLength - 1; index >= 0; index -= 1) {
    const difference = (bytes[index] ?? 0) - (bound[index] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return false;
}

/** Whether 32 bytes are the one canonical encoding of a y and a sign (RFC 8032, section 5.1.3). */
export function isCanonicalPoint(encoding: Uint8Array): boolean {
  const y = encoding.slice();
  y[pointLength - 1] = (y[pointLength - 1] ?? 0) & 0x7f;
  if (!isBelow(y, p)) return false;
  const isSigned = !sameBytes(y, encoding);
  const hasNoX = [one, minusOne].includes(y.toHex());
  return !(isSigned && hasNoX);
}

/** Whether a canonical encoding is one of the eight points whose order divides 8. */
export function isSmallOrder(encoding: Uint8Array): boolean {
  const y = encoding.slice();
  y[pointLength - 1] = (y[pointLength - 1] ?? 0) & 0x7f;
  return smallOrder.includes(y.toHex());
}

/** The rule of RFC 8032 that a signature of 64 bytes breaks by its form alone, or undefined. */
export function signatureFormProblem(signature: Uint8Array): string | undefined {
  // Section 5.1.7; with S + L the same signature would have a second form.
  if (!isBelow(signature.subarray(pointLength), l)) {
    return "S is not below the group order, so it is not canonical";
  }
  if (!isCanonicalPoint(signature.subarray(0, pointLength))) return "R is not canonical";
  return undefined;
}

/**
 * Whether `signature` is one of `message` under `key`. Through Web Crypto:
 * node:crypto would do the same without a promise, but costs 6 ms to load.
 */
export function verifyEd25519(
  key: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const { subtle } = crypto;
  return subtle
    .importKey("raw", key.slice(), "Ed25519", false, ["verify"])
    .then((imported) => subtle.verify("Ed25519", imported, signature.slice(), unshared(message)));
}

/** The same bytes, copied only where another thread could change them. */
function unshared(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = bytes;
  if (!(buffer instanceof ArrayBuffer)) return bytes.slice();
  return new Uint8Array(buffer, byteOffset, byteLength);
}
