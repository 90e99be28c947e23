/**
 * X.509 certificates and X.500 names, as far as naming a signer needs them
 * (RFC 5280, RFC 4514). Nothing here decides trust: the kernel does.
 */

import {
  type Der,
  derAt,
  derChildren,
  derExpect,
  derOid,
  derSequence,
  derSerial,
  derTime,
  hex,
  Tag,
} from "./der.ts";
import { type RsaPublicKey, readRsaPublicKey } from "./rsa.ts";

/** A name for people: `CN=...,O=...`, the most specific part first (RFC 4514). */
export interface X500Name {
  readonly text: string;
  readonly commonName: string | undefined;
  readonly organization: string | undefined;
}

export interface Certificate {
  readonly subject: X500Name;
  readonly issuer: X500Name;
  /** Lower-case hexadecimal, without the sign's leading zero. */
  readonly serial: string;
  /** Milliseconds; undefined where they are malformed. */
  readonly validFrom: number | undefined;
  readonly validTo: number | undefined;
  /** SHA-256 of the certificate, lower-case hexadecimal. */
  readonly fingerprint: string;
  /** SHA-256 of what the issuer signed; a kernel's `.blacklist` has it as `tbs:`. */
  readonly tbsFingerprint: string;
  /** undefined: not RSA, or not readable. */
  readonly rsaKey: RsaPublicKey | undefined;
  /** Subject key identifier; what `/proc/keys` shows after the name of a key. */
  readonly subjectKeyId: string | undefined;
  /** Key identifier of the issuer: the key that has to be in a keyring. */
  readonly authorityKeyId: string | undefined;
}

const longestValue = 256;

// RFC 4514 section 3 and RFC 5280 appendix A.
const attributeNames = new Map([
  ["2.5.4.3", "CN"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
  ["1.2.840.113549.1.9.1", "emailAddress"],
]);

const subjectKeyIdOid = "2.5.29.14";
const authorityKeyIdOid = "2.5.29.35";

/** A Name (RFC 5280, 4.1.2.4). Throws `KexecError` when it is malformed. */
export function readName(item: Der | undefined): X500Name {
  const parts: string[] = [];
  const values = new Map<string, string>();
  for (const set of derSequence(item, "a name")) {
    const pairs = derChildren(derExpect(set, Tag.set, "a part of a name")).map((pair) => {
      const [type, value] = derSequence(pair, "an attribute of a name");
      const oid = derOid(type, "the type of a name");
      const key = attributeNames.get(oid) ?? oid;
      const text = value === undefined ? "" : stringOf(value);
      values.set(key, text);
      return `${key}=${escaped(text)}`;
    });
    parts.unshift(pairs.join("+"));
  }
  return { text: parts.join(","), commonName: values.get("CN"), organization: values.get("O") };
}

/** A certificate. Throws `KexecError` when it is malformed. */
export function readCertificate(item: Der): Certificate {
  const [tbs] = derSequence(item, "a certificate");
  const fields = derSequence(tbs, "the body of a certificate");
  // version [0] is left out in version 1.
  const start = fields[0]?.tag === Tag.context0 ? 1 : 0;
  const [validFrom, validTo] = derSequence(fields[start + 3], "the validity of a certificate");
  const extensions = readExtensions(fields.find((field) => field.tag === Tag.context3));
  const subjectKey = extensions.get(subjectKeyIdOid);
  const authorityKey = extensions.get(authorityKeyIdOid);
  return {
    serial: derSerial(fields[start]),
    issuer: readName(fields[start + 2]),
    subject: readName(fields[start + 4]),
    validFrom: derTime(validFrom),
    validTo: derTime(validTo),
    rsaKey: readRsaPublicKey(fields[start + 5]),
    fingerprint: sha256(item.whole),
    tbsFingerprint: sha256(derExpect(tbs, Tag.sequence, "the body of a certificate").whole),
    subjectKeyId:
      subjectKey &&
      hex(derExpect(derAt(subjectKey), Tag.octetString, "a subject key identifier").content),
    authorityKeyId: authorityKey && readAuthorityKeyId(authorityKey),
  };
}

function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
}

function readAuthorityKeyId(bytes: Uint8Array): string | undefined {
  const [keyId] = derSequence(derAt(bytes), "an authority key identifier");
  return keyId?.tag === Tag.implicit0 ? hex(keyId.content) : undefined;
}

function readExtensions(item: Der | undefined): ReadonlyMap<string, Uint8Array> {
  const extensions = new Map<string, Uint8Array>();
  if (item === undefined) return extensions;
  for (const extension of derSequence(derChildren(item)[0], "the extensions of a certificate")) {
    const parts = derSequence(extension, "an extension");
    const value = derExpect(parts.at(-1), Tag.octetString, "the value of an extension");
    extensions.set(derOid(parts[0], "the type of an extension"), value.content);
  }
  return extensions;
}

function stringOf({ tag, content }: Der): string {
  const encoding = tag === Tag.bmpString ? "utf-16be" : tag === Tag.utf8String ? "utf-8" : "latin1";
  const text = new TextDecoder(encoding).decode(content.subarray(0, longestValue * 4));
  // Names reach terminals and logs: no control and no direction characters.
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "").slice(0, longestValue);
}

// RFC 4514, 2.4.
function escaped(text: string): string {
  return text.replace(/[",+;<>\\]|^[# ]| $/g, "\\$&");
}
