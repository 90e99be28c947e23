/** DER and an Authenticode signature made by hand, for tests. Nothing is really signed. */

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

export interface CertificatePlan {
  readonly issuer: Uint8Array;
  readonly subject: Uint8Array;
  readonly serial: readonly number[];
  readonly keyId?: Uint8Array;
  readonly authorityKeyId?: Uint8Array;
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
    sequence(algorithm("1.2.840.113549.1.1.1"), der(0x03, new Uint8Array(8))),
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
}

/** PKCS#7 SignedData over the digest of a file. */
export function signature(plan: SignaturePlan): Uint8Array {
  const indirectParts = [
    sequence(oid("1.3.6.1.4.1.311.2.1.15"), sequence(der(0x03, Uint8Array.of(0)))),
    sequence(algorithm(plan.digestOid ?? sha256Oid), octets(plan.digest)),
  ];
  const digested = plan.wrongContent ? ascii("something else") : concat(...indirectParts);
  const contentDigest = new Uint8Array(new Bun.CryptoHasher("sha256").update(digested).digest());
  const signer = sequence(
    integer(1),
    sequence(plan.issuer, integer(...plan.serial)),
    algorithm(sha256Oid),
    der(0xa0, sequence(oid("1.2.840.113549.1.9.4"), set(octets(contentDigest)))),
    algorithm("1.2.840.113549.1.1.1"),
    octets(new Uint8Array(32)),
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
