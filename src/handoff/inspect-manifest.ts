/** Every reason why a manifest would be refused: what `load` stops at, and all that comes after. */
import { type ErrorCode, KexecError } from "../errors.ts";
import { Folder, InputFile } from "../linux/file.ts";
import type { Architecture } from "../linux/syscalls.ts";
import type { PublicKey } from "../trust/keys.ts";
import {
  type Manifest,
  type ManifestFile,
  manifestProblems,
  parseManifest,
} from "../trust/manifest.ts";
import { acceptedKeys, checkGeneration, type TrustRequirement } from "../trust/policy.ts";
import { notVerifiedError, verifySignature } from "../trust/verify.ts";
import { sha256Of } from "./digest.ts";
import type { ManifestReport, TrustInspection } from "./inspection.ts";
import { readKey, readSignature } from "./trust-gate.ts";

export interface ManifestAudit {
  readonly report: ManifestReport | null;
  readonly keys: TrustInspection["keys"];
  readonly reasons: readonly KexecError[];
}

/** Runs every check by itself, whatever the others say. */
export async function auditManifest(
  path: string,
  bytes: Uint8Array,
  requirement: TrustRequirement,
  signaturePath: string | undefined,
  architecture: Architecture,
): Promise<ManifestAudit> {
  const reasons: KexecError[] = [];
  const attempt = collector(reasons);
  const keys = requirement.required
    ? await auditSignature(path, bytes, requirement, signaturePath, reasons)
    : [];
  const problems = manifestProblems(bytes);
  if (problems.length > 0) {
    reasons.push(...problems.map((problem) => broken(path, problem)));
    return { report: null, keys, reasons };
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
  const report = auditFiles(path, manifest, reasons);
  return { report, keys, reasons };
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

function auditFiles(path: string, manifest: Manifest, reasons: KexecError[]): ManifestReport {
  using folder = Folder.of(path);
  const { generation, architecture, cmdline, kernel, initrds } = manifest;
  const audited = (entry: ManifestFile, what: string) => {
    const problem = fileProblem(folder, entry, what);
    if (problem !== undefined) reasons.push(problem);
    const { size, sha256 } = entry;
    return { path: entry.path, size, sha256, problem: problem?.message ?? null };
  };
  return {
    generation,
    architecture,
    cmdline,
    files: [audited(kernel, "kernel"), ...initrds.map((entry) => audited(entry, "initramfs"))],
  };
}

function fileProblem(folder: Folder, entry: ManifestFile, what: string): KexecError | undefined {
  try {
    using file = InputFile.openBelow(folder, entry.path, what);
    if (file.size !== entry.size) {
      const why = `it has ${file.size} bytes, and the manifest says ${entry.size}`;
      return mismatch(
        file,
        why,
        "it is not the file that the manifest was written for, or it was not copied whole",
      );
    }
    if (sha256Of(file) === entry.sha256) return undefined;
    const hint =
      "it was changed, or it belongs to another generation: copy the generation again, whole";
    return mismatch(file, "its SHA-256 is not the manifest's", hint);
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
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
