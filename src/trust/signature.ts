/**
 * Detached Ed25519 signatures: minisign's, pre-hashed and legacy, and the raw 64
 * bytes that `openssl pkeyutl -sign -rawin` writes.
 */

import { KexecError } from "../errors.ts";
import { signatureFormProblem, signatureLength } from "./ed25519.ts";
import { keyIdOf } from "./keys.ts";
import { decodeBase64, decodeUtf8, hasControlCharacter, linesOf } from "./text.ts";

interface SignatureCommon {
  /** What the signature was called when it was given: the path of its file. */
  readonly name: string;
  /** R and S: 64 bytes, S below the group order. */
  readonly signature: Uint8Array;
}

/** 64 bytes over the file itself. */
export interface RawSignature extends SignatureCommon {
  readonly format: "raw";
  readonly covers: "message";
}

export interface MinisignSignature extends SignatureCommon {
  readonly format: "minisign";
  /** What R and S are over: the file (`Ed`, legacy), or its BLAKE2b-512 (`ED`). */
  readonly covers: "message" | "blake2b-512";
  /** As minisign prints it: 16 upper-case hex digits. */
  readonly keyId: string;
  /** Trusted only once `verifySignature` says so. One line, tabs are its only control characters. */
  readonly trustedComment: string;
  /** 64 bytes over `signature`, then the trusted comment. */
  readonly globalSignature: Uint8Array;
}

/** A signature that is well formed. Nothing is verified yet. */
export type DetachedSignature = RawSignature | MinisignSignature;

/** Bytes: above minisign's own limits, 1024 and 8192 of comment (src/minisign.h), and 188 of base64. */
const maxSignatureFile = 16384;

const untrustedPrefix = "untrusted comment:";
const trustedPrefix = "trusted comment: ";
const hint = "sign it with: minisign -S -m FILE, or openssl pkeyutl -sign -rawin";

function refuse(name: string, why: string): KexecError {
  return new KexecError("bad-signature", {
    message: `signature ${name}: ${why}`,
    hint,
    details: { path: name },
  });
}

/** Armoured, or a signature packet of version 3 to 6: RFC 9580, 4.2 and 5.2. */
function isOpenPgp(bytes: Uint8Array): boolean {
  const [tag = 0, length = 0, second = 0, third = 0] = bytes;
  const start = new TextDecoder().decode(bytes.subarray(0, 27));
  if (start.startsWith("-----BEGIN PGP SIGNATURE")) return true;
  // The old form of the header has the length in one byte or two, the new one too.
  const versions = [3, 4, 5, 6];
  if (tag === 0x88) return versions.includes(second);
  if (tag === 0x89) return versions.includes(third);
  return tag === 0xc2 && versions.includes(length < 192 ? second : third);
}

/**
 * Reads a detached signature from the bytes of its file. Throws `KexecError` with
 * code `bad-signature` for everything else. `name` is for messages.
 */
export function parseSignature(bytes: Uint8Array, name: string): DetachedSignature {
  if (bytes.length === 0) throw refuse(name, "the file is empty");
  if (bytes.length > maxSignatureFile) throw refuse(name, `larger than ${maxSignatureFile} bytes`);
  // No other is this short: minisign's two base64 lines alone have 188 characters, and OpenPGP's packet
  // has fields around R and S.
  if (bytes.length === signatureLength) {
    const signature = wellFormed(bytes.slice(), "the signature", name);
    return { format: "raw", name, covers: "message", signature };
  }
  if (isOpenPgp(bytes)) {
    throw new KexecError("bad-signature", {
      message: `signature ${name}: it is an OpenPGP signature, which is not checked here`,
      hint: `check it with gpg or sq, and sign the file anew: minisign -S -m FILE`,
    });
  }
  const text = decodeUtf8(bytes);
  if (text?.startsWith(untrustedPrefix)) return parseMinisign(text, name);
  if (text?.startsWith("-----BEGIN ")) {
    throw refuse(name, "PEM; minisign's and raw signatures are accepted");
  }
  const isText = text !== undefined && !hasControlCharacter(text.trimEnd());
  if (isText) throw refuse(name, "text, but not minisign's");
  throw refuse(name, `${bytes.length} bytes where a raw signature has ${signatureLength}`);
}

function parseMinisign(text: string, name: string): MinisignSignature {
  const [, line, comment, globalLine, ...rest] = linesOf(text);
  if (line === undefined) throw refuse(name, "no signature after the untrusted comment");
  if (comment === undefined) throw refuse(name, "no trusted comment");
  if (!comment.startsWith(trustedPrefix)) {
    throw refuse(name, `the third line does not start with "${trustedPrefix.trimEnd()}"`);
  }
  if (globalLine === undefined) throw refuse(name, "no signature of the trusted comment");
  if (rest.length > 0) throw refuse(name, "more than one signature, or text after it");

  const trustedComment = comment.slice(trustedPrefix.length);
  if (hasControlCharacter(trustedComment.replaceAll("\t", " "))) {
    throw refuse(name, "a control character in the trusted comment");
  }
  const data = decodeBase64(line);
  if (data === undefined) throw refuse(name, "the signature is not base64");
  // minisign, src/minisign.h: SigStruct is the algorithm, the key id and the signature.
  const length = 2 + 8 + signatureLength;
  if (data.length !== length) {
    throw refuse(name, `${data.length} bytes where minisign's signature has ${length}`);
  }
  const covers = coverage(String.fromCharCode(data[0] ?? 0, data[1] ?? 0));
  if (covers === undefined) throw refuse(name, "an algorithm other than minisign's Ed and ED");
  const globalSignature = decodeBase64(globalLine);
  if (globalSignature === undefined) {
    throw refuse(name, "the trusted comment's signature is not base64");
  }
  if (globalSignature.length !== signatureLength) {
    throw refuse(name, `the trusted comment's signature has ${globalSignature.length} bytes`);
  }
  return {
    format: "minisign",
    name,
    covers,
    keyId: keyIdOf(data.subarray(2, 10)),
    signature: wellFormed(data.slice(10), "the signature", name),
    trustedComment,
    globalSignature: wellFormed(globalSignature, "the trusted comment's signature", name),
  };
}

function coverage(algorithm: string): MinisignSignature["covers"] | undefined {
  if (algorithm === "Ed") return "message";
  if (algorithm === "ED") return "blake2b-512";
  return undefined;
}

function wellFormed(signature: Uint8Array, what: string, name: string): Uint8Array {
  const problem = signatureFormProblem(signature);
  if (problem !== undefined) throw refuse(name, `${what} is malformed: ${problem}`);
  return signature;
}
