/**
 * RSA signatures of PKCS#1 v1.5 (RFC 8017), as image signatures use them. Only to tell a damaged
 * signature from a good one: the kernel decides, and nothing here is secret.
 */
import { KexecError } from "../errors.ts";
import { type Der, derAt, derChildren, derExpect, derOid, derSequence, hex, Tag } from "./der.ts";

export interface RsaPublicKey {
  readonly modulus: bigint;
  readonly exponent: bigint;
  /** Bytes of the modulus. */
  readonly length: number;
}

const rsaEncryption = "1.2.840.113549.1.1.1";
/** Bytes: RSA-8192, and an exponent that no certificate in use comes near. */
const longestModulus = 1024;
const longestExponent = 4;

// RFC 8017, 9.2, note 1: DigestInfo up to the digest itself, in hexadecimal.
const digestInfos: ReadonlyMap<string, string> = new Map([
  ["sha1", "3021300906052b0e03021a05000414"],
  ["sha224", "302d300d06096086480165030402040500041c"],
  ["sha256", "3031300d060960864801650304020105000420"],
  ["sha384", "3041300d060960864801650304020205000430"],
  ["sha512", "3051300d060960864801650304020305000440"],
]);

/** The RSA key in a SubjectPublicKeyInfo; undefined for another or a malformed one. */
export function readRsaPublicKey(item: Der | undefined): RsaPublicKey | undefined {
  try {
    const [algorithm, bits] = derSequence(item, "a public key");
    const oid = derOid(derSequence(algorithm, "an algorithm")[0], "an algorithm");
    if (oid !== rsaEncryption) return undefined;
    // The first byte of a bit string counts the bits that are not used.
    const key = derAt(derExpect(bits, Tag.bitString, "a public key").content.subarray(1));
    const [modulus, exponent] = derChildren(derExpect(key, Tag.sequence, "a public key")).map(
      (part) =>
        hex(derExpect(part, Tag.integer, "a part of a public key").content).replace(/^(00)+/, ""),
    );
    if (!modulus || !exponent) return undefined;
    if (modulus.length > 2 * longestModulus || exponent.length > 2 * longestExponent)
      return undefined;
    return {
      modulus: BigInt(`0x${modulus}`),
      exponent: BigInt(`0x${exponent}`),
      length: modulus.length / 2,
    };
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}

/**
 * Whether `signature` is this key's over a digest; undefined where the digest's algorithm is not
 * known here.
 * @param digest in hexadecimal
 */
export function isRsaSignature(
  key: RsaPublicKey,
  signature: Uint8Array,
  algorithm: string,
  digest: string,
): boolean | undefined {
  const info = digestInfos.get(algorithm);
  if (info === undefined) return undefined;
  if (signature.length !== key.length) return false;
  const value = BigInt(`0x${hex(signature)}`);
  if (value >= key.modulus) return false;
  const opened = power(value, key.exponent, key.modulus)
    .toString(16)
    .padStart(2 * key.length, "0");
  const end = `00${info}${digest}`;
  const padding = 2 * key.length - 4 - end.length;
  return padding >= 16 && opened === `0001${"f".repeat(padding)}${end}`;
}

/** By squaring; an exponent has at most 32 bits. */
function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  let square = base % modulus;
  for (let bits = exponent; bits > 0n; bits >>= 1n) {
    if ((bits & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}
