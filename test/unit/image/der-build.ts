/** DER and an Authenticode signature made by hand, for tests. */

import { ascii, concat } from "./build.ts";

export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = concat(...parts);
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return concat(Uint8Array.from([tag, ...size]), content);
}

export function oid(text: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  const bytes = [first * 40 + second, ...rest].flatMap((part) => {
    const digits = [part % 128];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128)) {
      digits.unshift((left % 128) | 0x80);
    }
    return digits;
  });
  return der(0x06, Uint8Array.from(bytes));
}

const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const set = (...parts: readonly Uint8Array[]) => der(0x31, ...parts);
const integer = (...bytes: readonly number[]) => der(0x02, Uint8Array.from(bytes));
const octets = (bytes: Uint8Array) => der(0x04, bytes);

const attributes: Readonly<Record<string, string>> = {
  CN: "2.5.4.3",
  O: "2.5.4.10",
  C: "2.5.4.6",
  email: "1.2.840.113549.1.9.1",
  other: "1.2.3.4",
};

/** A Name: `[attribute, value]` in the certificate's order, the least specific first. */
export function name(
  parts: readonly (readonly [attribute: string, value: string | Uint8Array])[],
  stringTag = 0x0c,
): Uint8Array {
  return sequence(
    ...parts.map(([attribute, value]) => {
      const type = oid(attributes[attribute] ?? attribute);
      const bytes = typeof value === "string" ? ascii(value) : value;
      return set(sequence(type, der(stringTag, bytes)));
    }),
  );
}

const sha256Oid = "2.16.840.1.101.3.4.2.1";
const algorithm = (id: string) => sequence(oid(id), der(0x05));

/** RSA of the largest primes below 2^511 and 2^512: a key that is the same every time, and no secret. */
const [p, q, exponent] = [2n ** 511n - 187n, 2n ** 512n - 569n, 65537n];
const modulus = p * q;
const modulusLength = 128;
const publicKey = sequence(
  integer(0, ...bytesOfNumber(modulus)),
  integer(...Uint8Array.fromHex("010001")),
);

function bytesOfNumber(value: bigint): Uint8Array {
  return Uint8Array.fromHex(value.toString(16).padStart(2 * modulusLength, "0"));
}

/** PKCS#1 v1.5 with SHA-256 (RFC 8017, 8.2.1). */
function rsaSign(message: Uint8Array): Uint8Array {
  const digest = new Uint8Array(new Bun.CryptoHasher("sha256").update(message).digest());
  const info = sequence(algorithm(sha256Oid), octets(digest));
  const filling = "ff".repeat(modulusLength - 3 - info.length);
  const secret = inverse(exponent, (p - 1n) * (q - 1n));
  return bytesOfNumber(power(BigInt(`0x0001${filling}00${info.toHex()}`), secret));
}

function power(base: bigint, by: bigint): bigint {
  let [result, square] = [1n, base];
  for (let left = by; left > 0n; left >>= 1n) {
    if ((left & 1n) === 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

function inverse(value: bigint, to: bigint): bigint {
  let [old, next, a, b] = [value, to, 1n, 0n];
  while (next !== 0n) {
    const quotient = old / next;
    [old, next] = [next, old - quotient * next];
    [a, b] = [b, a - quotient * b];
  }
  return ((a % to) + to) % to;
}

export interface CertificatePlan {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly serial: readonly number[];
  readonly keyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
  /** Of its key, which is RSA all the same. */
  readonly keyOid?: string;
}

export function certificate(plan: CertificatePlan): Uint8Array {
  const extension = (id: string, value: Uint8Array) => sequence(oid(id), octets(value));
  const extensions = [
    ...(plan.keyId ? [extension("2.5.29.14", octets(plan.keyId))] : []),
    ...(plan.authorityKeyId
      ? [extension("2.5.29.35", sequence(der(0x80, plan.authorityKeyId)))]
      : []),
  ];
  const body = sequence(
    der(0xa0, integer(2)),
    integer(...plan.serial),
    algorithm("1.2.840.113549.1.1.11"),
    plan.issuer,
    sequence(der(0x17, ascii("260101000000Z")), der(0x17, ascii("360101000000Z"))),
    plan.subject,
    sequence(
      algorithm(plan.keyOid ?? "1.2.840.113549.1.1.1"),
      der(0x03, Uint8Array.of(0), publicKey),
    ),
    ...(extensions.length > 0 ? [der(0xa3, sequence(...extensions))] : []),
  );
  return sequence(body, algorithm("1.2.840.113549.1.1.11"), der(0x03, new Uint8Array(8)));
}

export interface SignaturePlan {
  readonly digest: Uint8Array;
  readonly digestOid?: string;
  readonly issuer: Uint8Array;
  readonly serial: readonly number[];
  readonly certificates?: readonly Uint8Array[];
  /** Signed attributes carry the digest of something else. */
  readonly wrongContent?: boolean;
  /** UTCTime of the signing. */
  readonly signedAt?: string;
  /** Of the signed attributes. */
  readonly signerDigestOid?: string;
  /** The signature's value is not what the key makes. */
  readonly damaged?: boolean;
}

/** PKCS#7 SignedData over the digest of a file. */
export function signature(plan: SignaturePlan): Uint8Array {
  const indirectParts = [
    sequence(oid("1.3.6.1.4.1.311.2.1.15"), sequence(der(0x03, Uint8Array.of(0)))),
    sequence(algorithm(plan.digestOid ?? sha256Oid), octets(plan.digest)),
  ];
  const digested = plan.wrongContent ? ascii("something else") : concat(...indirectParts);
  const contentDigest = new Uint8Array(new Bun.CryptoHasher("sha256").update(digested).digest());
  const attribute = (id: string, value: Uint8Array) => sequence(oid(id), set(value));
  const signedAttributes = [
    attribute("1.2.840.113549.1.9.4", octets(contentDigest)),
    ...(plan.signedAt === undefined
      ? []
      : [attribute("1.2.840.113549.1.9.5", der(0x17, ascii(plan.signedAt)))]),
  ];
  const signer = sequence(
    integer(1),
    sequence(plan.issuer, integer(...plan.serial)),
    algorithm(plan.signerDigestOid ?? sha256Oid),
    der(0xa0, ...signedAttributes),
    algorithm("1.2.840.113549.1.1.1"),
    octets(plan.damaged ? new Uint8Array(modulusLength) : rsaSign(set(...signedAttributes))),
  );
  const signedData = sequence(
    integer(1),
    set(algorithm(sha256Oid)),
    sequence(oid("1.3.6.1.4.1.311.2.1.4"), der(0xa0, sequence(...indirectParts))),
    ...(plan.certificates ? [der(0xa0, ...plan.certificates)] : []),
    set(signer),
  );
  return sequence(oid("1.2.840.113549.1.7.2"), der(0xa0, signedData));
}
