/** What must be trusted, by the policies and the request; and whether a source is. Loaded on demand. */
import { requireMemory } from "../../diagnosis/memory-need.ts";
import { cannot, type KexecError } from "../../errors.ts";
import type { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import { readMemory } from "../../machine/kernel.ts";
import type { Unseen, Whole } from "../../source/kind.ts";
import type { Source, SourceManifest } from "../../source/open.ts";
import { checkGeneration, type Policy, type TrustRequirement } from "../../trust/policy.ts";
import { secretProblem } from "../../trust/secret-places.ts";
import { verifySignature } from "../../trust/verify.ts";
import type { TrustReport } from "../report.ts";
import type { Gate, SecretPlace, TrustOptions } from "./gate.ts";
import { refusedAppend, refuseOptions } from "./refusals.ts";
import { readPolicies, requirementOf } from "./trust-files.ts";
import { type Demand, verifySigned } from "./verify-signed.ts";

/**
 * The gate where something is demanded. A signature must cover kernel, initramfs and command line as
 * one: that of a manifest, or that of a whole UKI, to which a boot entry may lead but add nothing.
 */
export class TrustGate implements Gate, Demand {
  readonly requirement: TrustRequirement;
  admitted: TrustReport | null = null;

  private constructor(
    readonly options: TrustOptions,
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
      const { bytes } = manifest;
      this.admitted = await verifySigned(this, manifest, bytes.length, (signature, keys) =>
        verifySignature({ message: bytes }, signature, keys),
      );
    }
    if (this.requirement.minGeneration !== undefined) {
      checkGeneration(manifest.manifest.generation, this.requirement);
    }
  };

  readonly judgeWhole = async (whole: Whole): Promise<void> => {
    if (this.requirement.required) await (await signedFiles()).verifyWhole(this, whole, {});
  };

  readonly admitUnseen = async (image: Unseen): Promise<void> => {
    if (this.requirement.required) await (await signedFiles()).admitUnseen(this, image);
  };

  requireRoom(bytes: number): void {
    requireMemory({ kernel: 0, initrd: 0, copied: bytes }, readMemory());
  }

  needsSealedWhole({ manifest, whole, kernel }: Source): boolean | Promise<boolean> {
    if (!this.requirement.required || manifest !== undefined || whole !== undefined) return false;
    return signedFiles().then(({ isUki }) => isUki(kernel.file));
  }

  async admitWhole(source: Source): Promise<void> {
    await (await signedFiles()).admitWhole(this, source);
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
      this.admitted = await (await signedFiles()).passWhole(this, source, sealed, listener);
    }
    if (this.requirement.minGeneration === undefined) return this.admitted;
    throw cannot(`load ${source.path}`, {
      code: "generation-too-low",
      why: `it has no generation, and at least ${this.requirement.minGeneration} is asked for`,
      hint: "only a manifest has a generation",
      details: { minimum: this.requirement.minGeneration },
    });
  }

  requireAllowedAppend(append: string | undefined, signed: string, option?: string): void {
    const [refusal] = refusedAppend(append, this.requirement, signed, option);
    if (refusal !== undefined) throw refusal;
  }

  refusedSecrets(secrets: readonly SecretPlace[]): readonly KexecError[] {
    const refusals: KexecError[] = [];
    for (const { destination, mode } of secrets) {
      const why = secretProblem(destination, mode, this.requirement.allowSecret);
      if (why === undefined) continue;
      const refusal = cannot(`put a secret at ${destination}`, {
        code: "policy-refused",
        why,
        details: { path: destination },
        hint: "choose a place that the policy's allowSecret names, without execute permission",
      });
      refusals.push(refusal);
    }
    return refusals;
  }
}

const signedFiles = () => import("./signed-file.ts");
