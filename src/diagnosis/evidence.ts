/** The evidence of a diagnosis: what was asked of the kernel, and what the machine says of itself. */
import type { Architecture } from "../architecture.ts";
import type { Refusal } from "../image/bzimage.ts";
import type { KexecState, Lockdown, Memory, Privilege } from "../machine/kernel.ts";
import type { Reading } from "../machine/reading.ts";
import type { SignatureEvidence } from "./signature.ts";

/** Facts of the machine, read after the failure. */
export interface MachineEvidence {
  readonly architecture: Architecture;
  readonly kexec: KexecState;
  readonly lockdown: Reading<Lockdown>;
  readonly privilege: Privilege;
  readonly memory: Memory;
}

/**
 * Facts that only some failures of a load need. A fact that does not bear on the errno is
 * undefined.
 */
export interface LoadEvidence extends MachineEvidence {
  readonly signature?: SignatureEvidence | undefined;
  /** The image fails this check of the kernel's own probe. */
  readonly refusal?: Refusal | undefined;
  /** IMA appraises kernels. */
  readonly appraisal?: Reading<boolean> | undefined;
  /** Kexec handover is on. */
  readonly handover?: Reading<boolean> | undefined;
  /** Bytes of its largest scratch area. */
  readonly scratch?: Reading<number | null> | undefined;
}

/** What was asked of kexec_file_load(2). */
export interface LoadAttempt {
  /** For messages: the path of the kernel. */
  readonly name: string;
  readonly crash: boolean;
  /** KEXEC_FILE_DEBUG was set. */
  readonly debug: boolean;
  /** Bytes. */
  readonly kernelSize: number;
  readonly initrdSize: number;
  /** The load limit as it was before the call, which counts itself down first; -1: unlimited. */
  readonly limitBefore: number | undefined;
}
