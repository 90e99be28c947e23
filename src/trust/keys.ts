/**
 * Public keys: minisign's `.pub`, and SubjectPublicKeyInfo PEM (RFC 8410).
 */

import { KexecError } from "../errors.ts";
import { isCanonicalPoint, isSmallOrder, pointLength } from "./ed25519.ts";
import { decodeBase64, decodeUtf8, linesOf, sameBytes } from "./text.ts";

/** An Ed25519 public key that is safe to verify with. */
export interface PublicKey {
  /** What the key was called when it was given: the path of its file. */
  readonly name: string;
  readonly format: "minisign" | "pem";
  /** The encoded point: 32 bytes, canonical, not of small order. */
  readonly point: Uint8Array;
  /** Key id as minisign prints it: 16 upper-case hex digits. A PEM key has none. */
  readonly keyId: string | undefined;
  /** For people: `minisign:` and the key id, or `sha256:` and 16 digits of the SPKI's SHA-256. */
  readonly fingerprint: string;
}

/** Bytes: far above any file with one Ed25519 public key in it. */
const maxKeyFile = 4096;

// minisign, src/minisign.h: PubkeyStruct, SigStruct and SeckeyStruct.
const publicKeyLength = 2 + 8 + pointLength;
const signatureStructLength = 2 + 8 + 64;
const secretKeyLength = 2 + 2 + 2 + 32 + 8 + 8 + (8 + 64 + 32);

// RFC 8410, section 4: SEQUENCE { SEQUENCE { OID 1.3.101.112 }, BIT STRING of 32 bytes }.
const spkiPrefix = Uint8Array.fromHex("302a300506032b6570032100");

/** Contents of the OBJECT IDENTIFIER, in hex, of algorithms that people try (RFC 3279, 5480, 8410). */
const algorithms: ReadonlyMap<string, string> = new Map([
  ["2a864886f70d010101", "an RSA"],
  ["2a864886f70d01010a", "an RSA-PSS"],
  ["2a8648ce3d0201", "an elliptic curve (ECDSA)"],
  ["2a8648ce380401", "a DSA"],
  ["2b656e", "an X25519"],
  ["2b656f", "an X448"],
  ["2b6571", "an Ed448"],
]);

const convertHint = "make the public key with: openssl pkey -in KEY -pubout -out KEY.pub";
const keyHint = "give the public key that minisign -G wrote, or one from openssl pkey -pubout";

function refuse(name: string, why: string, hint = keyHint): KexecError {
  return new KexecError("bad-key", {
    message: `public key ${name}: ${why}`,
    hint,
    details: { path: name },
  });
}

/**
 * Reads one public key from the bytes of its file. Throws `KexecError` with
 * code `bad-key` for everything else. `name` is for messages and display.
 */
export function parsePublicKey(bytes: Uint8Array, name: string): PublicKey {
  if (bytes.length === 0) throw refuse(name, "the file is empty");
  if (bytes.length > maxKeyFile) throw refuse(name, `larger than ${maxKeyFile} bytes`);
  const text = decodeUtf8(bytes);
  // DER, and nothing else that people have, begins with a SEQUENCE.
  if (bytes[0] === 0x30 && (text === undefined || text.includes("\u0000"))) {
    throw refuse(name, "DER, not PEM", "convert it with: openssl pkey -pubin -inform DER -in KEY");
  }
  if (text === undefined || text.includes("\u0000")) throw refuse(name, "not a text file");
  return text.includes("-----BEGIN ") ? parsePem(text, name) : parseMinisign(text, name);
}

function parseMinisign(text: string, name: string): PublicKey {
  if (/^(ssh|ecdsa|sk)-/.test(text)) {
    throw refuse(name, "an OpenSSH key; minisign's and PEM are accepted");
  }
  const all = linesOf(text);
  const lines = all[0]?.startsWith("untrusted comment:") ? all.slice(1) : all;
  if (lines.some((line) => line.startsWith("trusted comment:"))) {
    throw refuse(name, "a minisign signature, not a key");
  }
  const line = lines[0];
  if (line === undefined) throw refuse(name, "no key in it");
  if (lines.length > 1) throw refuse(name, "more than one key, or text after the key");

  const data = decodeBase64(line);
  if (data === undefined) throw refuse(name, "neither PEM nor base64");
  const algorithm = String.fromCharCode(data[0] ?? 0, data[1] ?? 0);
  if (data.length === secretKeyLength && algorithm === "Ed") {
    throw refuse(name, "a private key", "give the .pub file, and keep the private key elsewhere");
  }
  if (data.length === signatureStructLength && /^E[dD]$/.test(algorithm)) {
    throw refuse(name, "a minisign signature, not a key");
  }
  if (data.length !== publicKeyLength) {
    throw refuse(name, `${data.length} bytes where minisign's key has ${publicKeyLength}`);
  }
  if (algorithm !== "Ed") throw refuse(name, "an algorithm other than Ed25519");

  const keyId = keyIdOf(data.subarray(2, 10));
  return {
    name,
    format: "minisign",
    point: checkedPoint(data.slice(10), name),
    keyId,
    fingerprint: `minisign:${keyId}`,
  };
}

/** A minisign key id as minisign prints it: a little-endian number in upper-case hex. */
export function keyIdOf(bytes: Uint8Array): string {
  return bytes.toReversed().toHex().toUpperCase();
}

function parsePem(text: string, name: string): PublicKey {
  if (/PRIVATE KEY-----/.test(text)) throw refuse(name, "a private key", convertHint);
  if (text.split("-----BEGIN ").length > 2) throw refuse(name, "more than one key");
  const lines = linesOf(text);
  const label = /^-----BEGIN ([A-Z0-9 ]+)-----$/.exec(lines[0] ?? "")?.[1];
  if (label === undefined) throw refuse(name, "text before the key, or a broken BEGIN line");
  if (label === "RSA PUBLIC KEY") throw refuse(name, "an RSA key; only Ed25519 is accepted");
  if (label === "CERTIFICATE") {
    throw refuse(name, "a certificate", "take its key out: openssl x509 -in CERT -noout -pubkey");
  }
  if (label !== "PUBLIC KEY") throw refuse(name, "PEM, but not of a public key");
  if (lines.at(-1) !== "-----END PUBLIC KEY-----") {
    throw refuse(name, "text after the key, or no END line");
  }
  const der = decodeBase64(lines.slice(1, -1).join(""));
  if (der === undefined) throw refuse(name, "the PEM's base64 is broken");

  const isEd25519 = sameBytes(der.subarray(0, spkiPrefix.length), spkiPrefix);
  if (!isEd25519 || der.length !== spkiPrefix.length + pointLength) {
    throw refuse(name, derProblem(der));
  }
  const digest = new Bun.CryptoHasher("sha256").update(der).digest("hex");
  return {
    name,
    format: "pem",
    point: checkedPoint(der.slice(spkiPrefix.length), name),
    keyId: undefined,
    fingerprint: `sha256:${digest.slice(0, 16)}`,
  };
}

/** Why DER is not the SubjectPublicKeyInfo of an Ed25519 key. */
function derProblem(der: Uint8Array): string {
  const oid = algorithmOf(der);
  if (oid === undefined) return "not a SubjectPublicKeyInfo";
  // id-Ed25519, 1.3.101.112
  if (oid === "2b6570") return "an Ed25519 key of the wrong length or form";
  return `${algorithms.get(oid) ?? "an unknown algorithm's"} key; only Ed25519 is accepted`;
}

/** Contents of the first OBJECT IDENTIFIER inside two SEQUENCEs, in hex. */
function algorithmOf(der: Uint8Array): string | undefined {
  let at = 0;
  for (let depth = 0; depth < 2; depth += 1) {
    if (der[at] !== 0x30) return undefined;
    const length = der[at + 1] ?? 0xff;
    // X.690, 8.1.3: the long form names the number of length bytes; two reach 64 KiB.
    if (length > 0x82) return undefined;
    at += 2 + (length > 0x80 ? length - 0x80 : 0);
  }
  const length = der[at + 1];
  if (der[at] !== 0x06 || length === undefined || length > 32) return undefined;
  const oid = der.subarray(at + 2, at + 2 + length);
  return oid.length === length ? oid.toHex() : undefined;
}

function checkedPoint(point: Uint8Array, name: string): Uint8Array {
  if (!isCanonicalPoint(point)) throw refuse(name, "the point's encoding is not canonical");
  if (isSmallOrder(point)) {
    throw refuse(name, "a small-order point: anyone can sign for it");
  }
  return point;
}
