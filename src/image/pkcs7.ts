/**
 * PKCS#7 SignedData with the content that Authenticode signs (RFC 2315 and
 * Microsoft's "Windows Authenticode Portable Executable Signature Format").
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
  malformedDer,
  Tag,
} from "./der.ts";
import { isRsaSignature } from "./rsa.ts";
import { type Certificate, readCertificate, readName, type X500Name } from "./x509.ts";

export type DigestAlgorithm =
  | "sha1"
  | "sha224"
  | "sha256"
  | "sha384"
  | "sha512"
  | "sha3-256"
  | "sha3-384"
  | "sha3-512";

export interface Signer {
  /** Of the signer's certificate; undefined where the signer is given by key identifier. */
  readonly issuer: X500Name | undefined;
  readonly serial: string | undefined;
  /** The signer's certificate, when the signature carries it. */
  readonly certificate: Certificate | undefined;
  /** undefined: an algorithm that is not known here. */
  readonly digestAlgorithm: DigestAlgorithm | undefined;
  /** Whether the digest that was signed is the one of the content; undefined: cannot be told. */
  readonly coversContent: boolean | undefined;
  /** When it was signed, by the signed attributes, in milliseconds; undefined: they do not say. */
  readonly signedAt: number | undefined;
  /**
   * Whether the key of the certificate made the signature; undefined: not looked at, or it cannot be
   * told, as without RSA.
   */
  readonly isOfKey: boolean | undefined;
}

export interface SignedData {
  /** Of the digest of the file. */
  readonly digestAlgorithm: DigestAlgorithm | undefined;
  /** Object identifier of that algorithm, for one that is not known here. */
  readonly digestOid: string;
  /** Digest that the file had when it was signed, lower-case hexadecimal. */
  readonly digest: string;
  readonly signers: readonly Signer[];
  readonly certificates: readonly Certificate[];
}

const signedDataOid = "1.2.840.113549.1.7.2";
const indirectDataOid = "1.3.6.1.4.1.311.2.1.4";
const messageDigestOid = "1.2.840.113549.1.9.4";
const signingTimeOid = "1.2.840.113549.1.9.5";

// RFC 5754, RFC 8702 and NIST's register of algorithms.
const digestAlgorithms = new Map<string, DigestAlgorithm>([
  ["1.3.14.3.2.26", "sha1"],
  ["2.16.840.1.101.3.4.2.4", "sha224"],
  ["2.16.840.1.101.3.4.2.1", "sha256"],
  ["2.16.840.1.101.3.4.2.2", "sha384"],
  ["2.16.840.1.101.3.4.2.3", "sha512"],
  ["2.16.840.1.101.3.4.2.8", "sha3-256"],
  ["2.16.840.1.101.3.4.2.9", "sha3-384"],
  ["2.16.840.1.101.3.4.2.10", "sha3-512"],
]);

/** More than any image carries: each is looked up among the others. */
const mostCertificates = 64;
const mostSigners = 16;

/**
 * What an Authenticode signature says. Throws `KexecError` when it is malformed.
 * @param withKey whether to look if the first signer's key made it: arithmetic of a millisecond
 */
export function readSignedData(bytes: Uint8Array, withKey: boolean): SignedData {
  const [type, wrapped] = derSequence(derAt(bytes), "the signature");
  if (derOid(type, "the type of the signature") !== signedDataOid) {
    throw malformedDer("the signature is not PKCS#7 signed data");
  }
  const explicit = derExpect(wrapped, Tag.context0, "the signed data");
  const parts = derSequence(derChildren(explicit)[0], "the signed data");
  const content = readIndirectData(parts[2]);
  const optional = parts.slice(3);
  const embedded = optional.find((part) => part.tag === Tag.context0);
  const signerSet = optional.find((part) => part.tag === Tag.set);
  const carried = embedded ? derChildren(embedded).filter((item) => item.tag === Tag.sequence) : [];
  if (carried.length > mostCertificates) throw malformedDer("it carries too many certificates");
  const certificates = carried.map(readCertificate);
  const signers = derChildren(derExpect(signerSet, Tag.set, "the list of signers"));
  if (signers.length > mostSigners) throw malformedDer("it has too many signers");
  return {
    digestAlgorithm: digestAlgorithms.get(content.digestOid),
    digestOid: content.digestOid,
    digest: content.digest,
    certificates,
    signers: signers.map((signer, index) =>
      readSigner(signer, certificates, content.signed, withKey && index === 0),
    ),
  };
}

interface IndirectData {
  readonly digestOid: string;
  readonly digest: string;
  readonly signed: Uint8Array;
}

function readIndirectData(item: Der | undefined): IndirectData {
  const [type, wrapped] = derSequence(item, "the signed content");
  if (derOid(type, "the type of the content") !== indirectDataOid) {
    throw malformedDer("the signed content is not of a program file");
  }
  const indirect = derChildren(derExpect(wrapped, Tag.context0, "the content"))[0];
  const [, info] = derSequence(indirect, "the content");
  const [algorithm, digest] = derSequence(info, "the digest of the file");
  return {
    digestOid: algorithmOid(algorithm),
    digest: hex(derExpect(digest, Tag.octetString, "the digest of the file").content),
    // Signed are the octets inside the SEQUENCE (RFC 2315, 9.3).
    signed: derExpect(indirect, Tag.sequence, "the content").content,
  };
}

function readSigner(
  item: Der,
  certificates: readonly Certificate[],
  signed: Uint8Array,
  withKey: boolean,
): Signer {
  const parts = derSequence(item, "a signer");
  const [, id, algorithm, attributes] = parts;
  const digestAlgorithm = digestAlgorithms.get(algorithmOid(algorithm));
  const hasAttributes = attributes?.tag === Tag.context0;
  const attribute = hasAttributes ? readAttributes(attributes) : undefined;
  const signedDigest = attribute?.get(messageDigestOid);
  const said = {
    digestAlgorithm,
    coversContent: signedDigest && coversDigest(signedDigest, digestAlgorithm, signed),
    signedAt: derTime(attribute?.get(signingTimeOid)),
  };
  const value = parts[hasAttributes ? 5 : 4];
  const isOfKey = (certificate: Certificate | undefined) =>
    !withKey || certificate?.rsaKey === undefined || digestAlgorithm === undefined
      ? undefined
      : isRsaSignature(
          certificate.rsaKey,
          derExpect(value, Tag.octetString, "the value of the signature").content,
          digestAlgorithm,
          digestOf(digestAlgorithm, hasAttributes ? asSet(attributes) : signed),
        );
  if (id?.tag === Tag.implicit0) {
    const keyId = hex(id.content);
    const certificate = certificates.find((candidate) => candidate.subjectKeyId === keyId);
    const { issuer, serial } = certificate ?? {};
    return { ...said, issuer, serial, certificate, isOfKey: isOfKey(certificate) };
  }
  const [name, number] = derSequence(id, "the identity of a signer");
  const issuer = readName(name);
  const serial = derSerial(number);
  const certificate = certificates.find(
    (candidate) => candidate.serial === serial && candidate.issuer.text === issuer.text,
  );
  return { ...said, issuer, serial, certificate, isOfKey: isOfKey(certificate) };
}

/** Signed attributes are digested as the SET that they are, not as the [0] they stand as (RFC 2315, 9.3). */
function asSet(attributes: Der): Uint8Array {
  const bytes = attributes.whole.slice();
  bytes[0] = Tag.set;
  return bytes;
}

function digestOf(algorithm: DigestAlgorithm, bytes: Uint8Array): string {
  return new Bun.CryptoHasher(algorithm).update(bytes).digest("hex");
}

/** The first value of each signed attribute, by its type. */
function readAttributes(attributes: Der): ReadonlyMap<string, Der> {
  const found = new Map<string, Der>();
  for (const attribute of derChildren(attributes)) {
    const [type, values] = derSequence(attribute, "a signed attribute");
    const [value] = derChildren(derExpect(values, Tag.set, "the value of an attribute"));
    if (value !== undefined) found.set(derOid(type, "the type of an attribute"), value);
  }
  return found;
}

function coversDigest(
  signedDigest: Der,
  algorithm: DigestAlgorithm | undefined,
  signed: Uint8Array,
): boolean | undefined {
  const expected = derExpect(signedDigest, Tag.octetString, "the message digest").content;
  return algorithm === undefined ? undefined : digestOf(algorithm, signed) === hex(expected);
}

function algorithmOid(item: Der | undefined): string {
  return derOid(derSequence(item, "an algorithm")[0], "an algorithm");
}
