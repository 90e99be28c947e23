/** Reads the facts that tell the causes of a failed system call apart. */

import type { Architecture } from "../architecture.ts";
import type { LoadEvidence, MachineEvidence } from "../diagnosis/evidence.ts";
import type { SignatureEvidence } from "../diagnosis/signature.ts";
import { judgeSignature, readImageSignature, unverifiable } from "../diagnosis/signature-check.ts";
import { KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { bzImageRefusal, type Refusal, readBzImage } from "../image/bzimage.ts";
import { descriptorSource } from "../linux/file.ts";
import { readBuildFacts } from "../machine/build-facts.ts";
import { readKernelAppraisal } from "../machine/facts.ts";
import { readFirmware } from "../machine/firmware.ts";
import {
  readFiveLevelPaging,
  readIdentity,
  readKexecState,
  readLockdown,
  readMemory,
  readPrivilege,
} from "../machine/kernel.ts";
import { readKeyrings } from "../machine/keyrings.ts";
import { readLiveUpdate } from "../machine/live-update.ts";
import { valueIn } from "../machine/reading.ts";

export function readEvidence(architecture: Architecture): MachineEvidence {
  return {
    architecture,
    kexec: readKexecState(),
    lockdown: readLockdown(),
    privilege: readPrivilege(),
    memory: readMemory(),
  };
}

/**
 * The signature check gives these errnos: EPERM under lockdown, the others where it is enforced.
 * A damaged signature gives EINVAL, which has other causes too.
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
    // The failed load is the error to report, not a failure to read its file again.
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
    case "EADDRNOTAVAIL": {
      const { handover, scratch } = readLiveUpdate(readBuildFacts(readIdentity().release));
      return { handover, scratch };
    }
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
