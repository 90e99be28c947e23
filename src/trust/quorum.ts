/** m of n: how many of the trusted keys signed, over all signatures that were given. */
import { KexecError } from "../errors.ts";
import type { PublicKey } from "./keys.ts";
import type { DetachedSignature } from "./signature.ts";
import { sameBytes } from "./text.ts";
import {
  type NotVerified,
  notVerifiedError,
  type Rejection,
  type VerifiedSignature,
} from "./verify.ts";

/** A key that signed, with the signature that shows it. */
export interface Signer {
  readonly key: PublicKey;
  readonly signature: string;
  readonly trustedComment: string | undefined;
}

export interface Quorum {
  /** Each key once, by its bytes, in the order of the signatures. */
  readonly signers: readonly Signer[];
  /** Why the other signatures and keys do not count. */
  readonly rejections: readonly Rejection[];
  /** The signatures that were looked at. */
  readonly looked: readonly string[];
  /** Those of them that no trusted key made that was not counted already. */
  readonly uncounted: readonly string[];
}

/** Signatures that are read of one file: more are refused, whoever wrote them. */
export const mostSignatures = 32;

/**
 * Looks at every signature, until enough keys have signed.
 * @param verify tells whether one of `keys` made the signature; those that are counted already are left out
 */
export async function quorumOf(
  signatures: readonly DetachedSignature[],
  keys: readonly PublicKey[],
  threshold: number,
  verify: (
    signature: DetachedSignature,
    keys: readonly PublicKey[],
  ) => Promise<VerifiedSignature | NotVerified>,
): Promise<Quorum> {
  const signers: Signer[] = [];
  const rejections: Rejection[] = [];
  const looked: string[] = [];
  const uncounted: string[] = [];
  for (const signature of signatures) {
    if (signers.length >= threshold) break;
    const isLeft = ({ point }: PublicKey) =>
      signers.every(({ key }) => !sameBytes(key.point, point));
    const left = signers.length === 0 ? keys : keys.filter(isLeft);
    if (left.length === 0) break;
    looked.push(signature.name);
    const result = await verify(signature, left);
    if (result.verified) {
      const { key, trustedComment } = result;
      signers.push({ key, signature: signature.name, trustedComment });
    } else {
      rejections.push(...result.rejections);
      uncounted.push(signature.name);
    }
  }
  return { signers, rejections, looked, uncounted };
}

/** The error for a file that too few keys have signed. */
export function quorumError(
  file: string,
  { signers, rejections, looked }: Quorum,
  threshold: number,
): KexecError {
  if (signers.length === 0) {
    return notVerifiedError(file, { verified: false, rejections }, looked.join(", "));
  }
  const names = signers.map(({ key }) => key.fingerprint).join(", ");
  const others = rejections.map(({ key, why }) => `${key.name} (${key.fingerprint}): ${why}`);
  return new KexecError("untrusted", {
    message: `${file} is not trusted: ${threshold} keys must have signed it, and ${signers.length === 1 ? "one has" : `${signers.length} have`}: ${[names, ...others].join("; ")}`,
    details: { path: file, keys: rejections.map(({ key }) => key.fingerprint) },
    hint: `sign it by another of the trusted keys, into ${file}.NAME.minisig or ${file}.NAME.sig`,
  });
}
