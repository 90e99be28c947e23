/** What must be trusted, by the policies and the request; and whether a source is. Loaded on demand. */
import { requireMemory } from "../../diagnosis/memory-need.ts";
import { cannot, type KexecError } from "../../errors.ts";
import { InputFile } from "../../linux/file.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import { readMemory } from "../../machine/kernel.ts";
import type { Unseen, Whole } from "../../source/kind.ts";
import type { Source, SourceManifest } from "../../source/open.ts";
import { isUki } from "../../source/uki.ts";
import type { PublicKey } from "../../trust/keys.ts";
import {
  acceptedKeys,
  checkGeneration,
  type Policy,
  type TrustRequirement,
} from "../../trust/policy.ts";
import { quorumError, quorumOf } from "../../trust/quorum.ts";
import { secretProblem } from "../../trust/secret-places.ts";
import type { DetachedSignature } from "../../trust/signature.ts";
import {
  notVerifiedError,
  type Rejection,
  type Signed,
  signersOf,
  verifySignature,
} from "../../trust/verify.ts";
import { shellWord } from "../../visible.ts";
import type { TrustReport } from "../report.ts";
import type { Gate, SecretPlace, TrustOptions } from "./gate.ts";
import { refusedAppend, refuseEntryLines, refuseOptions } from "./refusals.ts";
import {
  type FoundSignatures,
  readKey,
  readPolicies,
  readSignatures,
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
  admitted: TrustReport | null = null;

  private constructor(
    private readonly options: TrustOptions,
    readonly policies: readonly Policy[],
  ) {
    this.requirement = requirementOf(policies, options);
  }

  /** @throws KexecError `policy-broken` */
  static async of(options: TrustOptions): Promise<TrustGate> {
    return new TrustGate(options, await readPolicies(options.policy, options.policyRoot));
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

  readonly admitUnseen = async (image: Unseen): Promise<void> => {
    if (!this.requirement.required) return;
    refuseOptions(this.options, false);
    // How long it is nobody has said who is believed.
    requireWorthReading(image.path, 0, await this.files(image));
  };

  requireRoom(bytes: number): void {
    requireMemory({ kernel: 0, initrd: 0, copied: bytes }, readMemory());
  }

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
        throw cannot(`trust ${source.path}`, { code: "untrusted", why: "not verified" });
      }
      return this.admitted;
    }
    if (this.requirement.required) {
      const { whole } = source;
      const uki = sealed !== undefined && isUki(sealed) ? sealed : undefined;
      if (whole === undefined && uki === undefined) {
        throw cannot(`trust ${source.path}`, {
          code: "untrusted",
          details: { path: source.path },
          why: "no signature covers kernel, initramfs and command line as one",
          hint: `write a manifest (aegis-kexec manifest ${shellWord(source.path)} ... > boot.json), sign it, and load boot.json`,
        });
      }
      refuseOptions(this.options, false);
      refuseEntryLines(source);
      if (whole !== undefined) this.admitted = await this.verifyWhole(whole, listener);
      else if (uki !== undefined) this.admitted = await this.verifySealed(source, uki);
    }
    if (this.requirement.minGeneration === undefined) return this.admitted;
    throw cannot(`load ${source.path}`, {
      code: "generation-too-low",
      why: `it has no generation, and at least ${this.requirement.minGeneration} is asked for`,
      hint: "only a manifest has a generation",
      details: { minimum: this.requirement.minGeneration },
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
    let digested: Signed | undefined;
    return this.verify({ path: file.path, openBeside }, file.size, (signature, keys) =>
      digested !== undefined && signature.covers === "blake2b-512"
        ? verifySignature(digested, signature, keys)
        : withSignedWhole(whole, signature.covers, listener, (bytes) => {
            // The digest serves every signature of it
            if ("digest" in bytes) digested = bytes;
            return verifySignature(bytes, signature, keys);
          }),
    );
  }

  requireAllowedAppend(append: string | undefined, signed: string, option?: string): void {
    for (const refusal of refusedAppend(append, this.requirement, signed, option)) throw refusal;
  }

  refusedSecrets(secrets: readonly SecretPlace[]): readonly KexecError[] {
    return secrets.flatMap(({ destination, mode }) => {
      const problem = secretProblem(destination, mode, this.requirement.allowSecret);
      if (problem === undefined) return [];
      return cannot(`put a secret at ${destination}`, {
        code: "policy-refused",
        why: problem,
        details: { path: destination },
        hint: "choose a place that the policy's allowSecret names, without execute permission",
      });
    });
  }

  /** The keys that may have signed a file, and its signature; nothing is verified yet. */
  private async files(signed: SignedFile): Promise<TrustFiles> {
    const keys = acceptedKeys(this.requirement.keyLists.map((paths) => paths.map(readKey)));
    const { threshold } = this.requirement;
    return { keys, ...(await readSignatures(signed, this.options.signature, threshold)) };
  }

  private async verify(
    signed: SignedFile,
    size: number,
    check: (
      signature: DetachedSignature,
      keys: readonly PublicKey[],
    ) => ReturnType<typeof verifySignature>,
  ): Promise<TrustReport> {
    const { keys, signatures, passedOver } = await this.files(signed);
    requireWorthReading(signed.path, size, { keys, signatures });
    const { threshold } = this.requirement;
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
}

/** The file that boots, signed as a whole. */
function signedKernel({ kernel: { file, openBeside } }: Source): SignedFile {
  const { path } = file;
  return {
    path,
    openBeside: openBeside ?? ((suffix, what) => InputFile.open(`${path}${suffix}`, what)),
  };
}

interface TrustFiles extends FoundSignatures {
  readonly keys: readonly PublicKey[];
}

/** Bytes that are digested for signatures which do not say which key made them: once for each key. */
const largestUnnamed = 512 << 20;

/**
 * Refuses, before a byte of the file is copied, a signature that no trusted key can have made.
 * @throws KexecError `untrusted`, `bad-signature`
 */
function requireWorthReading(
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
