/** Who signed a file: its signature, by the keys that are trusted. */
import { cannot } from "../../errors.ts";
import type { PublicKey } from "../../trust/keys.ts";
import { acceptedKeys, type TrustRequirement } from "../../trust/policy.ts";
import { quorumError, quorumOf } from "../../trust/quorum.ts";
import type { DetachedSignature } from "../../trust/signature.ts";
import {
  notVerifiedError,
  type Rejection,
  signersOf,
  type verifySignature,
} from "../../trust/verify.ts";
import type { TrustReport } from "../report.ts";
import type { TrustOptions } from "./gate.ts";
import { type FoundSignatures, readKey, readSignatures, type SignedFile } from "./trust-files.ts";

/** What is demanded of a source. */
export interface Demand {
  readonly requirement: TrustRequirement;
  readonly options: TrustOptions;
}

/**
 * Verifies the signature of a file.
 * @param size its bytes
 * @param check tells which of the keys made a signature
 * @throws KexecError `untrusted`, `no-signature`, `bad-signature`, `bad-key`, `policy-refused`
 */
export async function verifySigned(
  demand: Demand,
  signed: SignedFile,
  size: number,
  check: (
    signature: DetachedSignature,
    keys: readonly PublicKey[],
  ) => ReturnType<typeof verifySignature>,
): Promise<TrustReport> {
  const { threshold } = demand.requirement;
  const { keys, signatures, passedOver } = await trustFilesOf(demand, signed);
  requireWorthReading(signed.path, size, { keys, signatures });
  const quorum = await quorumOf(signatures, keys, threshold, check);
  const [first] = quorum.signers;
  if (first === undefined || quorum.signers.length < threshold) {
    throw quorumError(signed.path, quorum, threshold);
  }
  const signers = quorum.signers.map(({ key, signature, trustedComment }) => ({
    key: key.name,
    fingerprint: key.fingerprint,
    signature,
    trustedComment: trustedComment ?? null,
  }));
  return {
    signer: { key: first.key.name, fingerprint: first.key.fingerprint },
    signature: first.signature,
    trustedComment: first.trustedComment ?? null,
    signers,
    passedOver: [
      ...passedOver,
      ...quorum.uncounted.map((name) => `signature ${name}: no further trusted key made it`),
    ],
  };
}

export interface TrustFiles extends FoundSignatures {
  readonly keys: readonly PublicKey[];
}

/** The keys that may have signed a file, and its signatures; nothing is verified yet. */
export async function trustFilesOf(
  { requirement, options }: Demand,
  signed: SignedFile,
): Promise<TrustFiles> {
  const keys = acceptedKeys(
    requirement.keyLists.map((paths) => paths.map((path) => readKey(path, options.policyRoot))),
  );
  return { keys, ...(await readSignatures(signed, options.signature, requirement.threshold)) };
}

/** Bytes that are digested for signatures which do not say which key made them: once for each key. */
const largestUnnamed = 512 << 20;

/**
 * Refuses, before a byte of the file is copied, a signature that no trusted key can have made.
 * @throws KexecError `untrusted`, `bad-signature`
 */
export function requireWorthReading(
  path: string,
  size: number,
  { keys, signatures }: Omit<TrustFiles, "passedOver">,
): void {
  const rejections: Rejection[] = [];
  let [able, readings] = [0, 0];
  for (const signature of signatures) {
    const { candidates, rejections: others } = signersOf(signature, keys);
    rejections.push(...others);
    able += candidates.length;
    // A signature of a digest takes one digest. One of the file itself is over the key as well.
    if (signature.covers === "message") readings += candidates.length;
  }
  if (able === 0) {
    const names = signatures.map(({ name }) => name).join(", ");
    throw notVerifiedError(path, { verified: false, rejections }, names);
  }
  if (readings === 0 || size * readings <= largestUnnamed) return;
  throw cannot(`trust ${path}`, {
    code: "bad-signature",
    details: { path },
    why: `its signature is of the file itself, which would have to be read once for each of ${readings} keys, and over ${largestUnnamed >> 20} MiB that is not done`,
    hint: "sign it by minisign, which signs a digest and names its key: minisign -S -m FILE",
  });
}
