/** Why the kernel answered EPERM or EACCES though the process may call kexec_file_load(2). */
import type { Cause } from "../errors.ts";
import type { Lockdown } from "../machine/kernel.ts";
import { type Reading, valueIn } from "../machine/reading.ts";
import { hintOf, remedies } from "../remedies/remedies.ts";
import { logged } from "./cause.ts";
import { judgedCause, type SignatureEvidence } from "./signature.ts";

/** The cause of EPERM from a load whose process has all the rights that it takes. */
export function deniedCause(
  lockdown: Reading<Lockdown>,
  signature: SignatureEvidence | undefined,
  kernelLog: readonly string[],
): Cause {
  // report_load, security/loadpin/loadpin.c; it logs what it lets through, too.
  if (logged(kernelLog, /LoadPin: .*denied/i)) {
    return {
      code: "loadpin-refused",
      why: "LoadPin allows kernels and initramfs from the pinned file system only",
      hint: "put the files on the file system that the first kernel module was loaded from, and load them from there one by one: joined archives are in memory",
    };
  }
  const level = valueIn(lockdown);
  const said = logged(kernelLog, /Lockdown: .*kexec/i);
  if (said || (level !== undefined && level !== "none")) {
    const found = signature?.judgement;
    if (said || found?.verdict !== "good") return lockdownCause(level, signature);
  }
  return silentlyDenied(lockdown);
}

/**
 * Under lockdown every failure of the signature check is EPERM. Our own reading of the image tells
 * which.
 */
export function lockdownCause(
  level: Lockdown | undefined,
  signature: SignatureEvidence | undefined,
): Cause {
  const locked = `the kernel is locked down${level === undefined ? "" : ` (${level})`}`;
  const judgement = signature?.judgement;
  if (judgement?.verdict === "refused") {
    const { code, why, hint, details } = judgedCause(judgement, signature?.uefi);
    return {
      code: "lockdown",
      why: `${locked}, and ${why}`,
      hint: hintOf(code, hint),
      action: remedies()[code].action,
      details: { ...details, level, because: code },
    };
  }
  const could = `${locked}, and could not verify the image's signature`;
  if (judgement?.verdict === "good") {
    return {
      code: "lockdown",
      why: could,
      hint: `the signature of ${judgement.signer} looks good and ${judgement.keyring} has its key: the kernel may lack the check (CONFIG_KEXEC_SIG and its verifier) or the algorithm`,
    };
  }
  return {
    code: "lockdown",
    why: could,
    hint:
      judgement === undefined
        ? "only an image signed by a key in the kernel's keyrings passes: aegis-kexec inspect IMAGE tells who signed it"
        : `${judgement.why}: aegis-kexec inspect IMAGE, as root, tells who signed it`,
  };
}

/** @param lockdown Left out for the calls that lockdown does not touch: unloading, and reboot(2). */
export function silentlyDenied(lockdown?: Reading<Lockdown>): Cause {
  const others =
    "a security module (its log: dmesg, or ausearch -m avc) or a seccomp filter (Seccomp: in /proc/self/status is not 0)";
  const mayBeLockdown = lockdown?.known === false;
  return {
    code: "not-permitted",
    why: "the kernel denies it and does not say why",
    hint: mayBeLockdown
      ? `it may be lockdown (mount securityfs and read /sys/kernel/security/lockdown), ${others}`
      : `it may be ${others}`,
  };
}

/** EACCES comes from IMA (ima_appraise_measurement) or from a security module. */
export function appraisalCause(
  appraisal: Reading<boolean> | undefined,
  kernelLog: readonly string[],
): Cause {
  const byIma = logged(kernelLog, /\bima\b|appraise_data|integrity:/i);
  if (!byIma && (logged(kernelLog, /avc: +denied/) || valueInOr(appraisal) === false)) {
    return {
      code: "not-permitted",
      why: "a security module denies it",
      hint: "see its log: ausearch -m avc -ts recent, or dmesg",
    };
  }
  return {
    code: "ima-refused",
    why: "IMA appraisal refused a file",
    hint: "the machine's IMA policy wants a valid security.ima on kernel and initramfs: sign them in place (evmctl ima_sign FILE); joined or unpacked files are in memory and cannot have one",
  };
}

function valueInOr(reading: Reading<boolean> | undefined): boolean | undefined {
  return reading === undefined ? undefined : valueIn(reading);
}
