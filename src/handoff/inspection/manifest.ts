/** Every reason why a manifest would be refused: what `load` stops at, and all that comes after. */

import type { Architecture } from "../../architecture.ts";
import { type ErrorCode, KexecError } from "../../errors.ts";
import { sha256Of } from "../../image/bytes.ts";
import { Folder, InputFile } from "../../linux/file.ts";
import { checkCmdline, joinCmdline } from "../../source/cmdline.ts";
import { KernelSource } from "../../source/image.ts";
import type { PublicKey } from "../../trust/keys.ts";
import {
  type Manifest,
  type ManifestFile,
  manifestProblems,
  parseManifest,
} from "../../trust/manifest.ts";
import { acceptedKeys, checkGeneration, type TrustRequirement } from "../../trust/policy.ts";
import { notVerifiedError, verifySignature } from "../../trust/verify.ts";
import { readKey, readSignature } from "../gate/trust-files.ts";
import { refusedAppend, refusedOptions } from "../gate/trust-gate.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { largestKernel } from "../stages/verify.ts";
import type { ManifestReport, TrustInspection } from "./inspection.ts";

export interface ManifestAudit {
  readonly report: ManifestReport | null;
  readonly keys: TrustInspection["keys"];
  readonly reasons: readonly KexecError[];
  /** The archives that are what the manifest says, open in the stack that was given. */
  readonly archives: readonly InputFile[];
}

/**
 * Runs every check by itself, whatever the others say.
 * @param bytes The whole manifest.
 * @param verified Kernel and command line were found good: they need no second look.
 */
export async function auditManifest(
  bytes: Uint8Array,
  request: ParsedLoadRequest,
  requirement: TrustRequirement,
  architecture: Architecture,
  verified: boolean,
  held: DisposableStack,
  observer: Observer,
): Promise<ManifestAudit> {
  const path = request.kernel;
  const reasons: KexecError[] = [];
  const attempt = collector(reasons);
  const keys = requirement.required
    ? await auditSignature(path, bytes, requirement, request.signature, reasons)
    : [];
  if (requirement.required) reasons.push(...refusedOptions(request, true));
  const problems = manifestProblems(bytes);
  if (problems.length > 0) {
    reasons.push(...problems.map((problem) => broken(path, problem)));
    return { report: null, keys, reasons, archives: [] };
  }
  const manifest = parseManifest(bytes, path);
  attempt(() => checkGeneration(manifest.generation, requirement));
  if (manifest.architecture !== architecture) {
    reasons.push(
      new KexecError("wrong-architecture", {
        message: `cannot load ${path}: it is for ${manifest.architecture}, and this machine is ${architecture}`,
        hint: `load a generation that was made for ${architecture}`,
      }),
    );
  }
  if (requirement.required) {
    reasons.push(...refusedAppend(request.append, requirement, manifest.cmdline));
  }
  const audited = auditFiles(path, manifest, verified, held, observer);
  const [kernel, ...archives] = audited.map(({ file }) => file);
  reasons.push(...audited.flatMap(({ problem }) => problem ?? []));
  if (kernel !== undefined && manifest.architecture === architecture) {
    const cmdline = joinCmdline(request.cmdline ?? manifest.cmdline, request.append);
    await auditKernel(kernel, cmdline, architecture, reasons, observer);
  }
  return {
    report: reportOf(
      manifest,
      audited.map(({ problem }) => problem),
    ),
    keys,
    reasons,
    archives: archives.filter((file) => file !== undefined),
  };
}

/** What the kernel is, once it is the manifest's. */
async function auditKernel(
  file: InputFile,
  cmdline: string,
  architecture: Architecture,
  reasons: KexecError[],
  observer: Observer,
): Promise<void> {
  try {
    const options = { architecture, profile: undefined, limit: largestKernel };
    using image = await KernelSource.open(file, options, observer);
    checkCmdline(cmdline, image.kernel.limit);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    reasons.push(error);
  }
}

async function auditSignature(
  path: string,
  bytes: Uint8Array,
  requirement: TrustRequirement,
  signaturePath: string | undefined,
  reasons: KexecError[],
): Promise<TrustInspection["keys"]> {
  const attempt = collector(reasons);
  const lists = requirement.keyLists.map((paths) =>
    paths.map((key) => attempt(() => readKey(key))).filter((key) => key !== undefined),
  );
  const accepted = attempt(() => acceptedKeys(lists));
  const signature = attempt(() => readSignature(path, signaturePath));
  const shown = (key: PublicKey, rejected: string | null) => ({
    key: key.name,
    fingerprint: key.fingerprint,
    rejected,
  });
  if (accepted === undefined || signature === undefined) {
    const why = signature === undefined ? "there is no signature to check" : "not in every list";
    return lists.flat().map((key) => shown(key, why));
  }
  try {
    const result = await verifySignature({ message: bytes }, signature, accepted);
    if (result.verified) return [shown(result.key, null)];
    reasons.push(notVerifiedError(path, result));
    return result.rejections.map(({ key, why }) => shown(key, why));
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    reasons.push(error);
    return accepted.map((key) => shown(key, error.message));
  }
}

interface AuditedFile {
  /** Undefined where it is not what the manifest says, or needs no look. */
  readonly file: InputFile | undefined;
  readonly problem: KexecError | undefined;
}

/** The kernel and then the archives. */
function auditFiles(
  path: string,
  { kernel, initrds }: Manifest,
  verified: boolean,
  held: DisposableStack,
  observer: Observer,
): AuditedFile[] {
  using folder = Folder.of(path);
  const audit = (entry: ManifestFile, what: string): AuditedFile => {
    try {
      const file = held.use(InputFile.openBelow(folder, entry.path, what));
      const problem = fileProblem(file, entry, observer);
      return { file: problem === undefined ? file : undefined, problem };
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      return { file: undefined, problem: error };
    }
  };
  return [
    verified ? { file: undefined, problem: undefined } : audit(kernel, "kernel"),
    ...initrds.map((entry) => audit(entry, "initramfs")),
  ];
}

function reportOf(
  { generation, architecture, cmdline, kernel, initrds }: Manifest,
  problems: readonly (KexecError | undefined)[],
): ManifestReport {
  return {
    generation,
    architecture,
    cmdline,
    files: [kernel, ...initrds].map(({ path, size, sha256 }, index) => ({
      path,
      size,
      sha256,
      problem: problems[index]?.message ?? null,
    })),
  };
}

function fileProblem(
  file: InputFile,
  entry: ManifestFile,
  observer: Observer,
): KexecError | undefined {
  if (file.size !== entry.size) {
    const why = `it has ${file.size} bytes, and the manifest says ${entry.size}`;
    return mismatch(
      file,
      why,
      "it is not the file that the manifest was written for, or it was not copied whole",
    );
  }
  const sha256 = sha256Of(file, (done) =>
    observer.progress?.(`verifying ${file.path}`, done, file.size),
  );
  if (sha256 === entry.sha256) return undefined;
  const hint =
    "it was changed, or it belongs to another generation: copy the generation again, whole";
  return mismatch(file, "its SHA-256 is not the manifest's", hint);
}

function mismatch(file: InputFile, why: string, hint: string): KexecError {
  return new KexecError("digest-mismatch", { message: `cannot use ${file.path}: ${why}`, hint });
}

function broken(path: string, problem: string): KexecError {
  const code: ErrorCode = "bad-manifest";
  return new KexecError(code, {
    message: `${path} is not a manifest: ${problem}`,
    hint: "write it with: aegis-kexec manifest",
  });
}

/** Runs a check, and keeps its error. */
export function collector(reasons: KexecError[]): <T>(check: () => T) => T | undefined {
  return (check) => {
    try {
      return check();
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      reasons.push(error);
      return undefined;
    }
  };
}
