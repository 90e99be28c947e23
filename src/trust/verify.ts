/** Which of the trusted keys made a signature, and why each other one did not. */

import { KexecError } from "../errors.ts";
import { signatureLength, verifyEd25519 } from "./ed25519.ts";
import type { PublicKey } from "./keys.ts";
import type { DetachedSignature, MinisignSignature } from "./signature.ts";

/**
 * What was signed: the whole file, or the BLAKE2b-512 of it (64 bytes). The
 * digest serves only where `DetachedSignature.covers` says so; a file too
 * large to hold is then never in memory at once. Whoever takes the digest, or
 * maps the file, does so on bytes that can no longer change.
 */
export type Signed = { readonly message: Uint8Array } | { readonly digest: Uint8Array };

export interface VerifiedSignature {
  readonly verified: true;
  /** The key that made the signature: the first of those given. */
  readonly key: PublicKey;
  /** minisign's trusted comment, covered by its own signature of the same key. */
  readonly trustedComment: string | undefined;
}

/** Why one key does not vouch for the signed bytes. */
export interface Rejection {
  readonly key: PublicKey;
  readonly cause: "key-id-differs" | "signature-wrong" | "trusted-comment-wrong";
  /** No key is named, as in OpenSSL's signatures: another key and another file look alike. */
  readonly isBlind?: true;
  /** The cause in words. */
  readonly why: string;
}

export interface NotVerified {
  readonly verified: false;
  /** One for each key that was given, in their order; none where no key was given. */
  readonly rejections: readonly Rejection[];
}

/** Bytes of BLAKE2b-512. */
const digestLength = 64;

/**
 * Looks for the first of `keys` that made `signature` over `signed`. minisign's
 * key id must match where key and signature both have one, and its trusted
 * comment must be signed by the same key. Throws `KexecError` with code
 * `bad-signature` where the form of the signature cannot serve.
 */
export async function verifySignature(
  signed: Signed,
  signature: DetachedSignature,
  keys: readonly PublicKey[],
): Promise<VerifiedSignature | NotVerified> {
  const message = signedBytes(signed, signature);
  const rejections: Rejection[] = [];
  for (const key of keys) {
    const foreign = foreignKey(signature, key);
    if (foreign !== undefined) {
      rejections.push(foreign);
      continue;
    }
    if (!(await verifyEd25519(key.point, message, signature.signature))) {
      rejections.push(wrongSignature(signature, key));
      continue;
    }
    if (signature.format !== "minisign") return { verified: true, key, trustedComment: undefined };
    if (await verifyEd25519(key.point, commented(signature), signature.globalSignature)) {
      return { verified: true, key, trustedComment: signature.trustedComment };
    }
    const why = "the trusted comment was changed after signing";
    rejections.push({ key, cause: "trusted-comment-wrong", why });
  }
  return { verified: false, rejections };
}

/** What R and S are over. */
function signedBytes(signed: Signed, signature: DetachedSignature): Uint8Array {
  if (signature.covers === "blake2b-512") {
    if ("message" in signed) return blake2b512(signed.message);
    if (signed.digest.length !== digestLength) throw new RangeError("not a BLAKE2b-512 digest");
    return signed.digest;
  }
  if (!("message" in signed)) {
    throw new KexecError("bad-signature", {
      details: { path: signature.name },
      message: `signature ${signature.name}: it covers the file itself, and only its digest is known here`,
      hint: "sign it pre-hashed: minisign -S -H -m FILE",
    });
  }
  // A pre-hashed signature of some other file is a good one of that file's digest, and the mark
  // that tells the two forms apart is not signed.
  if (signed.message.length === digestLength) {
    throw new KexecError("bad-signature", {
      details: { path: signature.name },
      message: `signature ${signature.name}: the signed file has the length of a digest`,
      hint: "sign the file itself, not its digest",
    });
  }
  return signed.message;
}

function blake2b512(message: Uint8Array): Uint8Array {
  return new Bun.CryptoHasher("blake2b512").update(message).digest();
}

/** Those of `keys` that can have made the signature by the key that it names, and why others have not. */
export function signersOf(
  signature: DetachedSignature,
  keys: readonly PublicKey[],
): { readonly candidates: readonly PublicKey[]; readonly rejections: readonly Rejection[] } {
  const rejections: Rejection[] = [];
  const candidates: PublicKey[] = [];
  for (const key of keys) {
    const foreign = foreignKey(signature, key);
    if (foreign === undefined) candidates.push(key);
    else rejections.push(foreign);
  }
  return { candidates, rejections };
}

function foreignKey(signature: DetachedSignature, key: PublicKey): Rejection | undefined {
  if (signature.format !== "minisign") return undefined;
  if (key.keyId === undefined || key.keyId === signature.keyId) return undefined;
  const why = `signed with key ${signature.keyId}, and this is ${key.keyId}`;
  return { key, cause: "key-id-differs", why };
}

function wrongSignature(signature: DetachedSignature, key: PublicKey): Rejection {
  const why = "this key did not sign these bytes";
  const names = signature.format === "minisign" && key.keyId !== undefined;
  return { key, cause: "signature-wrong", why, ...(names ? {} : { isBlind: true }) };
}

/** minisign, src/minisign.c: the signature, then the trusted comment without its prefix. */
function commented({ signature, trustedComment }: MinisignSignature): Uint8Array {
  const comment = new TextEncoder().encode(trustedComment);
  const both = new Uint8Array(signatureLength + comment.length);
  both.set(signature);
  both.set(comment, signatureLength);
  return both;
}

/**
 * The error for a file that none of the keys vouches for: `untrusted` where it
 * was signed by another key, `bad-signature` where a key that could have signed
 * it did not.
 */
export function notVerifiedError(
  file: string,
  result: NotVerified,
  signature?: string,
): KexecError {
  const named = signature === undefined ? "" : ` (${signature})`;
  const [first, ...rest] = result.rejections;
  if (first === undefined) {
    return new KexecError("untrusted", {
      message: `${file} is not trusted: no key is trusted`,
      details: { path: file },
      hint: "name a public key with --trust",
    });
  }
  const reasons = [first, ...rest].map(
    ({ key, why }) => `${key.name} (${key.fingerprint}): ${why}`,
  );
  const isForeign = result.rejections.every(({ cause }) => cause === "key-id-differs");
  const isBlind = result.rejections.some((rejection) => rejection.isBlind);
  return new KexecError(isForeign ? "untrusted" : "bad-signature", {
    message: `${file} is not trusted: ${reasons.join("; ")}`,
    details: { path: file, keys: result.rejections.map(({ key }) => key.fingerprint) },
    hint: isForeign
      ? `sign it with a trusted key, or trust the key that signed it${named}`
      : isBlind
        ? `either another key signed it or it is another file: such a signature${named} names no key, so nobody can tell which; sign it again`
        : `sign the file again; it, its signature${named} or its key changed`,
  });
}
