/** Every reason why a manifest would be refused: what `load` stops at, and all that comes after. */

import type { Architecture } from "../../architecture.ts";
import { cannot, type ErrorCode, KexecError } from "../../errors.ts";
import { sha256Of } from "../../image/bytes.ts";
import { checkCmdline, joinCmdline } from "../../source/cmdline.ts";
import { KernelSource } from "../../source/image.ts";
import type { FoundFile } from "../../source/kind.ts";
import type { OpenFile } from "../../source/open-file.ts";
import type { PublicKey } from "../../trust/keys.ts";
import {
  type Manifest,
  type ManifestFile,
  manifestProblems,
  maxManifestSize,
  otherDigest,
  otherSize,
  parseManifest,
} from "../../trust/manifest.ts";
import { acceptedKeys, checkGeneration, type TrustRequirement } from "../../trust/policy.ts";
import { quorumError, quorumOf } from "../../trust/quorum.ts";
import { verifySignature } from "../../trust/verify.ts";
import type { TrustOptions } from "../gate/gate.ts";
import { refusedAppend, refusedOptions } from "../gate/refusals.ts";
import { readKey, readSignatures, type SignedFile } from "../gate/trust-files.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { largestKernel } from "../stages/verify.ts";
import { isCheckedByKernel } from "../stages/verity.ts";
import type { ManifestReport, TrustInspection } from "./inspection.ts";
import type { Reasons } from "./reasons.ts";

export interface ManifestAudit {
  readonly report: ManifestReport | null;
  readonly keys: TrustInspection["keys"];
  /** The archives that are what the manifest says, open in the stack that was given. */
  readonly archives: readonly OpenFile[];
}

export interface AuditOptions {
  readonly request: ParsedLoadRequest & Pick<TrustOptions, "policyRoot">;
  readonly requirement: TrustRequirement;
  readonly architecture: Architecture;
  /** Kernel and command line were found good: they need no second look. */
  readonly verified: boolean;
}

/** Runs every check by itself, whatever the others say. */
export async function auditManifest(
  found: FoundFile,
  { request, requirement, architecture, verified }: AuditOptions,
  held: DisposableStack,
  reasons: Reasons,
  observer: Observer,
): Promise<ManifestAudit> {
  const { file, openBeside } = found;
  const { path } = file;
  const bytes = file.read(0, Math.min(file.size, maxManifestSize + 1));
  const keys = requirement.required
    ? await auditSignature({ path, openBeside }, bytes, requirement, request, reasons)
    : [];
  if (requirement.required) reasons.add(...refusedOptions(request, true));
  const problems = manifestProblems(bytes);
  if (problems.length > 0) {
    reasons.add(...problems.map((problem) => broken(path, problem)));
    return { report: null, keys, archives: [] };
  }
  const manifest = parseManifest(bytes, path);
  reasons.attempt(() => checkGeneration(manifest.generation, requirement));
  if (manifest.architecture !== architecture) {
    reasons.add(
      cannot(`load ${path}`, {
        code: "wrong-architecture",
        details: { path, expected: architecture, found: manifest.architecture },
        why: `it is for ${manifest.architecture}, and this machine is ${architecture}`,
        hint: `load a generation that was made for ${architecture}`,
      }),
    );
  }
  if (requirement.required) {
    reasons.add(...refusedAppend(request.append, requirement, manifest.cmdline));
  }
  const signed = keys.filter(({ rejected }) => rejected === null).length >= requirement.threshold;
  const budget = signed ? undefined : requirement.required ? digestRefused : digestUnsigned;
  const audited = await auditFiles(found, manifest, verified, budget, held, observer);
  const [kernel, ...archives] = audited.map((one) => one.file);
  reasons.add(...audited.flatMap(({ problem }) => problem ?? []));
  if (kernel !== undefined && manifest.architecture === architecture) {
    const cmdline = joinCmdline(request.cmdline ?? manifest.cmdline, request.append);
    await reasons.attemptAsync(() => auditKernel(kernel, cmdline, architecture, signed, observer));
  }
  return {
    report: reportOf(
      manifest,
      audited.map(({ problem, unread }) => problem?.message ?? unread ?? null),
    ),
    keys,
    archives: archives.filter((archive) => archive !== undefined),
  };
}

/** What the kernel is, once it is the manifest's. */
async function auditKernel(
  file: OpenFile,
  cmdline: string,
  architecture: Architecture,
  signed: boolean,
  observer: Observer,
): Promise<void> {
  const limit = signed ? largestKernel : () => Math.min(unpackedUnsigned, largestKernel());
  const options = { architecture, profile: undefined, limit };
  using image = await KernelSource.open(file, options, observer);
  checkCmdline(cmdline, image.kernel.limit);
}

async function auditSignature(
  signed: SignedFile,
  bytes: Uint8Array,
  requirement: TrustRequirement,
  { signature: given, policyRoot }: AuditOptions["request"],
  reasons: Reasons,
): Promise<TrustInspection["keys"]> {
  const { threshold } = requirement;
  const lists = requirement.keyLists.map((paths) =>
    paths.flatMap((key) => reasons.attempt(() => readKey(key, policyRoot)) ?? []),
  );
  const accepted = reasons.attempt(() => acceptedKeys(lists));
  const found = await reasons.attemptAsync(() => readSignatures(signed, given, threshold));
  const signatures = found?.signatures;
  const shown = (key: PublicKey, rejected: string | null) => ({
    key: key.name,
    fingerprint: key.fingerprint,
    rejected,
  });
  if (accepted === undefined || signatures === undefined) {
    const why = signatures === undefined ? "there is no signature to check" : "not in every list";
    return lists.flat().map((key) => shown(key, why));
  }
  try {
    const quorum = await quorumOf(signatures, accepted, threshold, (signature, keys) =>
      verifySignature({ message: bytes }, signature, keys),
    );
    const good = quorum.signers.map(({ key }) => shown(key, null));
    if (good.length >= threshold) return good;
    reasons.add(quorumError(signed.path, quorum, threshold));
    return [...good, ...quorum.rejections.map(({ key, why }) => shown(key, why))];
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    reasons.add(error);
    return accepted.map((key) => shown(key, error.message));
  }
}

interface AuditedFile {
  /** Undefined where it is not what the manifest says, or needs no look. */
  readonly file: OpenFile | undefined;
  readonly problem: KexecError | undefined;
  /** Why its digest was not taken. */
  readonly unread?: string;
}

/**
 * Bytes that are digested although nobody signed the manifest: where it is refused for that, no more
 * than kernel and initramfs have as a rule, and where nothing has to be signed as many as may be loaded.
 */
const digestRefused = 128 << 20;
const digestUnsigned = 1 << 30;
/** Bytes that are unpacked of a kernel that nobody signed, to say what it is. */
const unpackedUnsigned = 48 << 20;
const tooMuch =
  "not looked at: nobody signed the manifest, and it names more than is read for that";

/** The kernel and then the archives. */
async function auditFiles(
  found: FoundFile,
  { kernel, initrds }: Manifest,
  verified: boolean,
  budget: number | undefined,
  held: DisposableStack,
  observer: Observer,
): Promise<readonly AuditedFile[]> {
  let left = budget ?? Number.POSITIVE_INFINITY;
  const audit = async (entry: ManifestFile, what: string): Promise<AuditedFile> => {
    try {
      const file = held.use(await found.openBelow(entry.path, what, entry));
      const wrongSize = sizeProblem(file, entry);
      if (wrongSize !== undefined) return { file: undefined, problem: wrongSize };
      left -= file.size;
      if (left < 0) return { file: undefined, problem: undefined, unread: tooMuch };
      const problem = digestProblem(file, entry, observer);
      return { file: problem === undefined ? file : undefined, problem };
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      return { file: undefined, problem: error };
    }
  };
  const audited = [
    verified ? { file: undefined, problem: undefined } : await audit(kernel, "kernel"),
  ];
  for (const entry of initrds) audited.push(await audit(entry, "initramfs"));
  return audited;
}

function reportOf(
  { generation, architecture, cmdline, kernel, initrds }: Manifest,
  problems: readonly (string | null)[],
): ManifestReport {
  return {
    generation,
    architecture,
    cmdline,
    files: [kernel, ...initrds].map(({ path, size, sha256 }, index) => ({
      path,
      size,
      sha256,
      problem: problems[index] ?? null,
    })),
  };
}

function sizeProblem(file: OpenFile, entry: ManifestFile): KexecError | undefined {
  if (file.size === entry.size) return undefined;
  return cannot(`use ${file.path}`, otherSize(file.size, entry), { details: { path: file.path } });
}

function digestProblem(
  file: OpenFile,
  entry: ManifestFile,
  observer: Observer,
): KexecError | undefined {
  if (isCheckedByKernel(file, entry)) return undefined;
  const sha256 = sha256Of(file, (done) =>
    observer.progress?.(`verifying ${file.path}`, done, file.size, "verify"),
  );
  return sha256 === entry.sha256
    ? undefined
    : cannot(`use ${file.path}`, otherDigest(sha256, entry), { details: { path: file.path } });
}

function broken(path: string, problem: string): KexecError {
  const code: ErrorCode = "bad-manifest";
  return new KexecError(code, {
    message: `${path} is not a manifest: ${problem}`,
    details: { path, rule: problem },
    hint: "write it with: aegis-kexec manifest",
  });
}
