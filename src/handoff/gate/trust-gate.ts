/** What must be trusted, by the policies and the request; and whether a source is. Loaded on demand. */
import { KexecError } from "../../errors.ts";
import { InputFile } from "../../linux/file.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import type { Whole } from "../../source/kind.ts";
import type { Source, SourceManifest } from "../../source/open.ts";
import { isUki } from "../../source/uki.ts";
import { appendProblems } from "../../trust/append.ts";
import type { PublicKey } from "../../trust/keys.ts";
import { acceptedKeys, checkGeneration, type TrustRequirement } from "../../trust/policy.ts";
import { secretProblem } from "../../trust/secret-places.ts";
import type { DetachedSignature } from "../../trust/signature.ts";
import { notVerifiedError, type Signed, signersOf, verifySignature } from "../../trust/verify.ts";
import { shellWord } from "../../visible.ts";
import type { TrustReport } from "../report.ts";
import type { Gate, SecretPlace, TrustOptions } from "./gate.ts";
import {
  readKey,
  readPolicies,
  readSignature,
  requirementOf,
  type SignedFile,
} from "./trust-files.ts";

/** Bytes that are digested at once: a window of this size, so that memory does not grow with files. */
const STEP = 16 << 20;

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

  get required(): boolean {
    return this.requirement.required;
  }

  get fileSystems(): readonly string[] | undefined {
    return this.requirement.fileSystems;
  }

  readonly admit = async (manifest: SourceManifest): Promise<void> => {
    if (this.requirement.required) {
      refuseOptions(this.options, true);
      this.admitted = await this.verify(manifest, manifest.bytes.length, (signature, keys) =>
        verifySignature({ message: manifest.bytes }, signature, keys),
      );
    }
    if (this.requirement.minGeneration !== undefined) {
      checkGeneration(manifest.manifest.generation, this.requirement);
    }
  };

  readonly judgeWhole = async (whole: Whole): Promise<void> => {
    if (this.requirement.required) await this.verifyWhole(whole, {});
  };

  needsSealedWhole(source: Source): boolean {
    const { manifest, whole, kernel } = source;
    if (!this.requirement.required || manifest !== undefined || whole !== undefined) return false;
    return isUki(kernel.file);
  }

  async admitWhole(source: Source): Promise<void> {
    refuseOptions(this.options, false);
    refuseEntryLines(source);
    const { path, size } = source.kernel.file;
    requireWorthReading(path, size, await this.files(signedKernel(source)));
  }

  async pass(
    source: Source,
    sealed: Memfd | undefined,
    listener: Listener,
  ): Promise<TrustReport | null> {
    if (source.manifest !== undefined) {
      // A source that was not opened through this gate: nobody verified its manifest.
      if (this.requirement.required && this.admitted === null) {
        throw new KexecError("untrusted", { message: `cannot trust ${source.path}: not verified` });
      }
      return this.admitted;
    }
    if (this.requirement.required) {
      const { whole } = source;
      const uki = sealed !== undefined && isUki(sealed) ? sealed : undefined;
      if (whole === undefined && uki === undefined) {
        throw new KexecError("untrusted", {
          message: `cannot trust ${source.path}: no signature covers kernel, initramfs and command line as one`,
          hint: `write a manifest (aegis-kexec manifest ${shellWord(source.path)} ... > boot.json), sign it, and load boot.json`,
        });
      }
      refuseOptions(this.options, false);
      refuseEntryLines(source);
      if (whole !== undefined) this.admitted = await this.verifyWhole(whole, listener);
      else if (uki !== undefined) this.admitted = await this.verifySealed(source, uki);
    }
    if (this.requirement.minGeneration === undefined) return this.admitted;
    throw new KexecError("generation-too-low", {
      message: `cannot load ${source.path}: it has no generation, and at least ${this.requirement.minGeneration} is asked for`,
      hint: "only a manifest has a generation",
    });
  }

  /** The file that boots. */
  private verifySealed(source: Source, sealed: Memfd): Promise<TrustReport> {
    return this.verify(signedKernel(source), sealed.size, (signature, keys) =>
      withSigned(sealed, signature.covers, (bytes) => verifySignature(bytes, signature, keys)),
    );
  }

  /** The file that has all that boots in it. */
  private async verifyWhole(whole: Whole, listener: Listener): Promise<TrustReport> {
    const { file, openBeside } = whole;
    const { withSignedWhole } = await import("./whole.ts");
    return this.verify({ path: file.path, openBeside }, file.size, (signature, keys) =>
      withSignedWhole(whole, signature.covers, listener, (bytes) =>
        verifySignature(bytes, signature, keys),
      ),
    );
  }

  requireAllowedAppend(append: string | undefined, signed: string): void {
    for (const refusal of refusedAppend(append, this.requirement, signed)) throw refusal;
  }

  refusedSecrets(secrets: readonly SecretPlace[]): readonly KexecError[] {
    return secrets.flatMap(({ destination, mode }) => {
      const problem = secretProblem(destination, mode, this.requirement.allowSecret);
      if (problem === undefined) return [];
      return new KexecError("policy-refused", {
        message: `cannot put a secret at ${destination}: ${problem}`,
        hint: "choose a place that the policy's allowSecret names, without execute permission",
      });
    });
  }

  /** The keys that may have signed a file, and its signature; nothing is verified yet. */
  private async files(signed: SignedFile): Promise<TrustFiles> {
    const keys = acceptedKeys(this.requirement.keyLists.map((paths) => paths.map(readKey)));
    requireThreshold(signed.path, this.requirement);
    return { keys, signature: await readSignature(signed, this.options.signature) };
  }

  private async verify(
    signed: SignedFile,
    size: number,
    check: (
      signature: DetachedSignature,
      keys: readonly PublicKey[],
    ) => ReturnType<typeof verifySignature>,
  ): Promise<TrustReport> {
    const { keys, signature } = await this.files(signed);
    requireWorthReading(signed.path, size, { keys, signature });
    const result = await check(signature, keys);
    if (!result.verified) throw notVerifiedError(signed.path, result, signature.name);
    return {
      signer: { key: result.key.name, fingerprint: result.key.fingerprint },
      signature: signature.name,
      trustedComment: result.trustedComment ?? null,
    };
  }
}

/** The file that boots, signed as a whole. */
function signedKernel({ kernel: { file, openBeside } }: Source): SignedFile {
  const { path } = file;
  return {
    path,
    openBeside: openBeside ?? ((suffix, what) => InputFile.open(`${path}${suffix}`, what)),
  };
}

interface TrustFiles {
  readonly keys: readonly PublicKey[];
  readonly signature: DetachedSignature;
}

/** Bytes that are digested for signatures which do not say which key made them: once for each key. */
const largestUnnamed = 512 << 20;

/**
 * Refuses, before a byte of the file is copied, a signature that no trusted key can have made.
 * @throws KexecError `untrusted`, `bad-signature`
 */
function requireWorthReading(path: string, size: number, { keys, signature }: TrustFiles): void {
  const { candidates, rejections } = signersOf(signature, keys);
  if (candidates.length === 0)
    throw notVerifiedError(path, { verified: false, rejections }, signature.name);
  // A signature of a digest takes one digest. One of the file itself is over the key as well.
  if (signature.covers !== "message" || size * candidates.length <= largestUnnamed) return;
  throw new KexecError("bad-signature", {
    message: `cannot trust ${path}: its signature is of the file itself, which would have to be read once for each of ${candidates.length} keys, and over ${largestUnnamed >> 20} MiB that is not done`,
    hint: "sign it by minisign, which signs a digest and names its key: minisign -S -m FILE",
  });
}

/** One signature is one key's. @throws KexecError `untrusted` where more keys must have signed */
export function requireThreshold(path: string, { threshold }: TrustRequirement): void {
  if (threshold <= 1) return;
  throw new KexecError("untrusted", {
    message: `cannot trust ${path}: ${threshold} keys must have signed it, and one signature is read`,
    hint: "set the policy's threshold to 1, or sign for a machine that reads several signatures",
  });
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

/**
 * What a detached signature of a sealed copy is over. `use` must be done with it when it returns:
 * the message is a window on the copy.
 */
async function withSigned<T>(
  copy: Memfd,
  covers: "message" | "blake2b-512",
  use: (signed: Signed) => Promise<T>,
): Promise<T> {
  if (covers === "blake2b-512") return use({ digest: digestOf(copy, "blake2b512") });
  using window = copy.window(0, copy.size);
  return await use({ message: window.bytes });
}

function digestOf(copy: Memfd, algorithm: "blake2b512"): Uint8Array {
  const hasher = new Bun.CryptoHasher(algorithm);
  for (let at = 0; at < copy.size; at += STEP) {
    using window = copy.window(at, Math.min(STEP, copy.size - at));
    hasher.update(window.bytes);
  }
  return hasher.digest();
}
