/** What must be trusted, by the policies and the request; and whether a source is. Loaded on demand. */
import { KexecError } from "../../errors.ts";
import { InputFile } from "../../linux/file.ts";
import { leadsNowhere } from "../../linux/link.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Source, SourceManifest } from "../../source/open.ts";
import { isUki } from "../../source/uki.ts";
import { appendProblems } from "../../trust/append.ts";
import { type PublicKey, parsePublicKey } from "../../trust/keys.ts";
import {
  acceptedKeys,
  checkGeneration,
  maxPolicySize,
  type Policy,
  parsePolicy,
  type TrustRequirement,
  tighten,
} from "../../trust/policy.ts";
import { type DetachedSignature, parseSignature } from "../../trust/signature.ts";
import { notVerifiedError, verifySignature } from "../../trust/verify.ts";
import type { TrustReport } from "../report.ts";
import { withSigned } from "../stages/copy.ts";
import { defaultPolicyPath, type Gate, type TrustOptions } from "./gate.ts";

/** Bytes; above the limits of trust/keys.ts and trust/signature.ts, which say so in their own words. */
const mostKeyBytes = 1 << 16;

/** The policies in force: the machine's own where it exists, and the one that was asked for. */
export function readPolicies(requested: string | undefined): readonly Policy[] {
  const own = readPolicy(defaultPolicyPath, true);
  const other =
    requested === undefined || requested === defaultPolicyPath
      ? undefined
      : readPolicy(requested, false);
  if (requested === defaultPolicyPath && own === undefined) readPolicy(requested, false);
  return [own, other].filter((policy) => policy !== undefined);
}

function readPolicy(path: string, mayBeAbsent: boolean): Policy | undefined {
  let bytes: Uint8Array;
  try {
    bytes = readSmall(path, "policy", maxPolicySize + 1);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    // A link without a target is not a machine without a policy: somebody put it there.
    if (mayBeAbsent && error.errno === "ENOENT" && !leadsNowhere(path)) return undefined;
    throw new KexecError("policy-broken", {
      message: error.message,
      hint: "nothing is loaded until the policy can be read",
      ...(error.errno === undefined ? {} : { errno: error.errno }),
    });
  }
  return parsePolicy(bytes, path);
}

/** The requirement that the policies and the request make together. */
export function requirementOf(
  policies: readonly Policy[],
  options: TrustOptions,
): TrustRequirement {
  return tighten(policies, { trust: options.trust, minGeneration: options.minGeneration });
}

/**
 * The gate where something is demanded. A signature must cover kernel, initramfs and command line as
 * one: that of a manifest, or that of a whole UKI, to which a boot entry may lead but add nothing.
 */
export class TrustGate implements Gate {
  readonly requirement: TrustRequirement;
  private admitted: TrustReport | null = null;

  /** @throws KexecError `policy-broken` */
  constructor(private readonly options: TrustOptions) {
    this.requirement = requirementOf(readPolicies(options.policy), options);
  }

  readonly admit = async (manifest: SourceManifest): Promise<void> => {
    if (this.requirement.required) {
      refuseOptions(this.options, true);
      this.admitted = await this.verify(manifest.path, (signature, keys) =>
        verifySignature({ message: manifest.bytes }, signature, keys),
      );
    }
    if (this.requirement.minGeneration !== undefined) {
      checkGeneration(manifest.manifest.generation, this.requirement);
    }
  };

  needsSealedWhole(source: Source): boolean {
    return this.requirement.required && source.manifest === undefined && isUki(source.kernel.file);
  }

  async pass(source: Source, whole: Memfd | undefined): Promise<TrustReport | null> {
    if (source.manifest !== undefined) {
      // A source that was not opened through this gate: nobody verified its manifest.
      if (this.requirement.required && this.admitted === null) {
        throw new KexecError("untrusted", { message: `cannot trust ${source.path}: not verified` });
      }
      return this.admitted;
    }
    if (this.requirement.required) {
      if (whole === undefined || !isUki(whole)) {
        throw new KexecError("untrusted", {
          message: `cannot trust ${source.path}: no signature covers kernel, initramfs and command line as one`,
          hint: `write a manifest (aegis-kexec manifest ${source.path} ... > boot.json), sign it, and load boot.json`,
        });
      }
      refuseOptions(this.options, false);
      refuseEntryLines(source);
      this.admitted = await this.verify(source.kernel.file.path, (signature, keys) =>
        withSigned(whole, signature.covers, (bytes) => verifySignature(bytes, signature, keys)),
      );
    }
    if (this.requirement.minGeneration === undefined) return this.admitted;
    throw new KexecError("generation-too-low", {
      message: `cannot load ${source.path}: it has no generation, and at least ${this.requirement.minGeneration} is asked for`,
      hint: "only a manifest has a generation",
    });
  }

  requireAllowedAppend(append: string | undefined, signed: string): void {
    for (const refusal of refusedAppend(append, this.requirement, signed)) throw refusal;
  }

  private async verify(
    path: string,
    check: (
      signature: DetachedSignature,
      keys: readonly PublicKey[],
    ) => ReturnType<typeof verifySignature>,
  ): Promise<TrustReport> {
    const keys = acceptedKeys(this.requirement.keyLists.map((paths) => paths.map(readKey)));
    const signature = readSignature(path, this.options.signature);
    const result = await check(signature, keys);
    if (!result.verified) throw notVerifiedError(path, result);
    return {
      signer: { key: result.key.name, fingerprint: result.key.fingerprint },
      signature: signature.name,
      trustedComment: result.trustedComment ?? null,
    };
  }
}

/** An error for each option that would change what the signature covers. */
export function* refusedOptions(options: TrustOptions, isManifest: boolean): Generator<KexecError> {
  const changing = [
    ["--cmdline", options.cmdline !== undefined],
    ["--reuse-cmdline", options.reuseCmdline],
    ["--initrd", options.initrd.length > 0],
    // All profiles of a signed UKI are signed; a manifest says nothing of them.
    ["--profile", options.profile !== undefined && isManifest],
  ] as const;
  for (const [option, isGiven] of changing) {
    if (!isGiven) continue;
    yield new KexecError("policy-refused", {
      message: `cannot use ${option}: trust is required, and the signature covers initramfs and command line`,
      hint: "put it into the manifest before it is signed",
    });
  }
}

function refuseOptions(options: TrustOptions, isManifest: boolean): void {
  for (const refusal of refusedOptions(options, isManifest)) throw refusal;
}

function refuseEntryLines(source: Source): void {
  const facts = source.entry?.facts;
  const added = facts?.options !== undefined ? "options" : "initrd";
  if (facts?.options === undefined && (facts === undefined || facts.initrds.length === 0)) return;
  throw new KexecError("policy-refused", {
    message: `cannot use the ${added} line of ${source.entry?.path}: trust is required, and nobody signed the boot entry`,
    hint: "build it into the UKI before that is signed, and take the line out",
  });
}

/**
 * An error for each reason why words must not be appended, by what the policies let through.
 * @param signed The command line that the signature covers.
 */
export function* refusedAppend(
  append: string | undefined,
  requirement: TrustRequirement,
  signed: string,
): Generator<KexecError> {
  if (append === undefined) return;
  for (const problem of appendProblems(append, requirement.allowAppend, signed)) {
    yield new KexecError("policy-refused", {
      message: `cannot use --append: ${problem}`,
      hint: "put the words into the manifest before it is signed, or into the policy's allowAppend",
    });
  }
}

export function readKey(path: string): PublicKey {
  try {
    return parsePublicKey(readSmall(path, "public key", mostKeyBytes), path);
  } catch (error) {
    // A key that cannot be read trusts nothing, which is the gate's own refusal.
    if (!(error instanceof KexecError) || error.exit === 5) throw error;
    throw new KexecError("bad-key", {
      message: error.message,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(error.errno === undefined ? {} : { errno: error.errno }),
    });
  }
}

export function readSignature(source: string, given: string | undefined) {
  const candidates = given === undefined ? [`${source}.minisig`, `${source}.sig`] : [given];
  for (const path of candidates) {
    try {
      return parseSignature(readSmall(path, "signature", mostKeyBytes), path);
    } catch (error) {
      if (!(error instanceof KexecError) || error.exit === 5) throw error;
      if (error.errno === "ENOENT" && given === undefined) continue;
      throw new KexecError("no-signature", {
        message: error.message,
        ...(error.errno === undefined ? {} : { errno: error.errno }),
      });
    }
  }
  throw new KexecError("no-signature", {
    message: `cannot trust ${source}: it has no signature: neither ${candidates.join(" nor ")} exists`,
    hint: `sign it (minisign -S -m ${source}), or name the signature with --signature`,
  });
}

function readSmall(path: string, what: string, limit: number): Uint8Array {
  using file = InputFile.open(path, what);
  return file.read(0, Math.min(file.size, limit));
}
