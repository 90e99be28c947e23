/** The files that trust is made of: policies, public keys, detached signatures. Loaded on demand. */
import { ENOENT } from "../../errno.ts";
import { cannot, ExitCode, KexecError } from "../../errors.ts";
import { head } from "../../image/bytes.ts";
import { InputFile } from "../../linux/file.ts";
import { leadsNowhere, statusOfPath } from "../../linux/path.ts";
import type { HeldFile, OpenBeside } from "../../source/open-file.ts";
import { isUrl } from "../../source/place.ts";
import { type PublicKey, parsePublicKey } from "../../trust/keys.ts";
import { maxPolicySize, type Policy, type TrustRequirement, tighten } from "../../trust/policy.ts";
import { mostSignatures } from "../../trust/quorum.ts";
import { type DetachedSignature, parseSignature } from "../../trust/signature.ts";
import { shellWord } from "../../visible.ts";
import { defaultPolicyPath, inTree, type TrustOptions } from "./gate.ts";
import { isInTree, openInTree, pathInTree } from "./other-system.ts";

/** Bytes; above the limits of trust/keys.ts and trust/signature.ts, which say so in their own words. */
const mostKeyBytes = 1 << 16;

/**
 * The policies in force: the machine's own where it exists, and the one that was asked for.
 * @throws KexecError `policy-broken`
 */
export function readPolicies(
  requested: string | undefined,
  root?: string | undefined,
): readonly Policy[] | Promise<readonly Policy[]> {
  // No error is made of what is usual: that would cost more than the rest. A link without a target is
  // not a machine without a policy: somebody put it there.
  const isAbsent =
    root === undefined
      ? statusOfPath(defaultPolicyPath) === -ENOENT && !leadsNowhere(defaultPolicyPath)
      : !isInTree(root, defaultPolicyPath);
  return isAbsent && requested === undefined
    ? []
    : readGiven(isAbsent ? undefined : inTree(root, defaultPolicyPath), requested, root);
}

async function readGiven(
  own: string | undefined,
  requested: string | undefined,
  root: string | undefined,
): Promise<readonly Policy[]> {
  const policies: Policy[] = [];
  if (own !== undefined) {
    const policy = await readPolicy(own, root);
    policies.push({ ...policy, trust: policy.trust.map((key) => inTree(root, key)) });
  }
  const isOwn = requested === defaultPolicyPath && own !== undefined;
  if (requested !== undefined && !isOwn) policies.push(await readPolicy(requested));
  return policies;
}

async function readPolicy(path: string, root?: string): Promise<Policy> {
  let bytes: Uint8Array;
  try {
    bytes = readSmall(path, "policy", maxPolicySize + 1, root);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    throw error.with({ hint: "nothing is loaded until the policy can be read" }, "policy-broken");
  }
  const { parsePolicy } = await import("../../trust/policy-file.ts");
  return parsePolicy(bytes, path);
}

/** The requirement that the policies and the request make together. */
export function requirementOf(
  policies: readonly Policy[],
  options: TrustOptions,
): TrustRequirement {
  return tighten(policies, {
    trust: options.trust,
    minGeneration: options.minGeneration,
    threshold: options.threshold,
  });
}

/**
 * @param root Another system's tree, whose keys are read as that system would.
 * @throws KexecError of exit 5
 */
export function readKey(path: string, root?: string): PublicKey {
  try {
    return parsePublicKey(readSmall(path, "public key", mostKeyBytes, root), path);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    if (error.code === "outside-folder") {
      const hint = "that system has no such file: links count from its root";
      throw error.with({ hint }, "bad-key");
    }
    // A key that cannot be read trusts nothing, which is the gate's own refusal.
    if (error.exit === 5) throw error;
    throw error.with({}, "bad-key");
  }
}

/** What is signed: what messages call it, and the way to the signature that lies beside it. */
export interface SignedFile {
  readonly path: string;
  readonly openBeside: OpenBeside;
}

const signatureSuffixes = [".minisig", ".sig"];
/** Another signer's: `.NAME.minisig`, `.NAME.sig`. */
const otherSuffix = /^\..+\.(?:minisig|sig)$/;
/** Names of a folder that are looked at for signatures. */
const mostNames = 4096;

interface Candidate {
  readonly path: string;
  /** It is known not to be there, which costs less than an error. */
  readonly absent?: boolean;
  readonly open: () => HeldFile | Promise<HeldFile>;
}

export interface FoundSignatures {
  readonly signatures: readonly DetachedSignature[];
  /** Why others that are there do not count: they are malformed. */
  readonly passedOver: readonly string[];
}

/**
 * The signatures of a file: those that are given, or those beside it. Where one key is enough, that is the first
 * that is there; where more must have signed, all that are there, the well-formed ones of them.
 * @param given paths, of which each must be readable
 * @throws KexecError `no-signature`, `bad-signature`
 */
export async function readSignatures(
  signed: SignedFile,
  given: readonly string[],
  threshold: number,
): Promise<FoundSignatures> {
  const { path: source } = signed;
  const candidates = given.length > 0 ? given.map(candidateAt) : beside(signed, threshold);
  requireFew(source, candidates.length);
  const found: DetachedSignature[] = [];
  const malformed: KexecError[] = [];
  for (const candidate of candidates) {
    if (given.length === 0 && threshold === 1 && found.length > 0) break;
    if (candidate.absent === true) continue;
    const { path } = candidate;
    try {
      using file = await candidate.open();
      found.push(parseSignature(file.read(0, Math.min(file.size, mostKeyBytes)), path));
    } catch (error) {
      const refusal = refusalOf(error, given.length === 0);
      if (refusal === undefined) continue;
      // One bad signature of several must not stop those that are good.
      if (threshold === 1 || refusal.code !== "bad-signature") throw refusal;
      malformed.push(refusal);
    }
  }
  if (found.length > 0) {
    return { signatures: found, passedOver: malformed.map(({ message }) => message) };
  }
  const [first] = malformed;
  if (first !== undefined) throw first;
  throw cannot(`trust ${source}`, {
    code: "no-signature",
    why: `it has no signature: neither ${candidates.map(({ path }) => path).join(" nor ")} exists`,
    hint: isUrl(source)
      ? "where it is made, sign it and put the signature beside it on the server: a UKI or an ISO image by minisign -S -m, a kernel by a manifest (aegis-kexec manifest)"
      : `sign it (minisign -S -m ${shellWord(source)}), or name the signature with --signature`,
  });
}

function candidateAt(path: string): Candidate {
  return { path, open: () => InputFile.open(path, "signature") };
}

function beside({ path, openBeside }: SignedFile, threshold: number): readonly Candidate[] {
  const others =
    threshold === 1
      ? []
      : (openBeside.suffixes?.(mostNames) ?? [])
          .filter((suffix) => otherSuffix.test(suffix))
          .sort();
  return [...signatureSuffixes, ...others].map((suffix) => ({
    path: `${path}${suffix}`,
    absent: openBeside.has?.(suffix) === false,
    open: () => openBeside(suffix, "signature"),
  }));
}

function requireFew(source: string, count: number): void {
  if (count <= mostSignatures + signatureSuffixes.length) return;
  throw cannot(`trust ${source}`, {
    code: "bad-signature",
    why: `it has more than ${mostSignatures} signatures`,
    hint: "name those that count with --signature",
  });
}

/** Why a signature cannot be read; undefined where it may be absent, and is. */
function refusalOf(error: unknown, mayBeAbsent: boolean): KexecError | undefined {
  if (!(error instanceof KexecError)) throw error;
  if (error.exit === 5 || isOfNetwork(error)) return error;
  if (error.errno === "ENOENT" && mayBeAbsent) return undefined;
  return error.with({}, "no-signature");
}

/** A server that fails says nothing of whether the file is signed. */
function isOfNetwork({ exit, code }: KexecError): boolean {
  return exit === ExitCode.io && code !== "io-error";
}

function readSmall(path: string, what: string, limit: number, root?: string): Uint8Array {
  const inside = root === undefined ? undefined : pathInTree(root, path);
  using file =
    root === undefined || inside === undefined
      ? InputFile.open(path, what)
      : openInTree(root, inside, what);
  return head(file, limit);
}
