/** What is known when a system call has failed: the facts that tell its causes apart. */
import { KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { bzImageRefusal, type Refusal, readBzImage } from "../image/bzimage.ts";
import { readBuildFacts } from "../linux/build-facts.ts";
import { descriptorSource } from "../linux/descriptor-source.ts";
import { readFirmware } from "../linux/firmware.ts";
import { readKeyrings } from "../linux/keyrings.ts";
import { readLiveUpdate } from "../linux/live-update.ts";
import {
  type KexecState,
  type Lockdown,
  type Memory,
  type Privilege,
  readFiveLevelPaging,
  readIdentity,
  readKexecState,
  readLockdown,
  readMemory,
  readPrivilege,
} from "../linux/machine.ts";
import { type Reading, valueIn } from "../linux/reading.ts";
import type { Architecture } from "../linux/syscalls.ts";
import type { SignatureEvidence } from "./cause/signature.ts";
import { readKernelAppraisal } from "./facts.ts";
import { judgeSignature, readImageSignature, unverifiable } from "./image-signature.ts";

/** The machine, read after the failure. */
export interface MachineEvidence {
  readonly architecture: Architecture;
  readonly kexec: KexecState;
  readonly lockdown: Reading<Lockdown>;
  readonly privilege: Privilege;
  readonly memory: Memory;
}

export function readEvidence(architecture: Architecture): MachineEvidence {
  return {
    architecture,
    kexec: readKexecState(),
    lockdown: readLockdown(),
    privilege: readPrivilege(),
    memory: readMemory(),
  };
}

/** What only some failures of a load need; undefined where it does not bear on the errno. */
export interface LoadEvidence extends MachineEvidence {
  readonly signature?: SignatureEvidence | undefined;
  /** The check of the kernel's own probe that the image fails. */
  readonly refusal?: Refusal | undefined;
  /** IMA appraises kernels. */
  readonly appraisal?: Reading<boolean> | undefined;
  /** Kexec handover is on. */
  readonly handover?: Reading<boolean> | undefined;
}

/**
 * Errnos that come of the signature check: EPERM under lockdown, the others where it is enforced.
 * A damaged signature gives EINVAL, as much else does.
 */
const signatureErrnos: ReadonlySet<string> = new Set([
  ...["EPERM", "ENODATA", "ENOKEY", "EKEYREJECTED", "EKEYREVOKED", "EKEYEXPIRED"],
  ...["EBADMSG", "ELIBBAD", "EMSGSIZE", "ENOTSUPP", "ENOPKG"],
]);

/**
 * Reads what bears on the errno.
 * @param errno symbolic name
 * @param kernelFd the descriptor that was loaded: its image is read again, by nobody's name
 */
export function readLoadEvidence(
  architecture: Architecture,
  errno: string,
  kernelFd: number,
): LoadEvidence {
  const machine = readEvidence(architecture);
  try {
    return { ...machine, ...readBearing(errno, descriptorSource(kernelFd)) };
  } catch (error) {
    // The load's own failure is what counts, not that of reading the file once more.
    if (error instanceof KexecError) return machine;
    throw error;
  }
}

type Bearing = Omit<LoadEvidence, keyof MachineEvidence>;

function readBearing(errno: string, image: ByteSource | undefined): Bearing {
  if (signatureErrnos.has(errno)) return { signature: readSignature(image) };
  switch (errno) {
    case "ENOEXEC":
      return { refusal: readRefusal(image) };
    case "EINVAL":
      return { signature: readSignature(image), refusal: readRefusal(image) };
    case "EACCES":
      return {
        appraisal: readKernelAppraisal(readBuildFacts(readIdentity().release), readFirmware()),
      };
    case "EADDRNOTAVAIL":
      return { handover: readLiveUpdate(readBuildFacts(readIdentity().release)).handover };
    default:
      return {};
  }
}

function readSignature(image: ByteSource | undefined): SignatureEvidence | undefined {
  if (image === undefined) return undefined;
  const { kexecVerifier } = readBuildFacts(readIdentity().release);
  const judgement =
    valueIn(kexecVerifier) === false
      ? unverifiable
      : judgeSignature(readImageSignature(image, true), readKeyrings());
  return { judgement, uefi: readFirmware().uefi };
}

function readRefusal(image: ByteSource | undefined): Refusal | undefined {
  const bzImage = image === undefined ? undefined : readBzImage(image);
  if (bzImage?.kind !== "bzimage") return undefined;
  return bzImageRefusal(bzImage, {
    fiveLevelPaging: valueIn(readFiveLevelPaging()),
    efi32Runtime: valueIn(readFirmware().efi32Runtime),
  });
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
