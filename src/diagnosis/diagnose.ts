/**
 * Finds the cause of a failed system call from its errno and from what the machine says. Pure: every
 * cause can be tried without a kernel. Orders and meanings: kernel/kexec_file.c, kernel/reboot.c.
 */

import { errnoName, errnoText } from "../errno.ts";
import { type Cause, cannot, type Details, type KexecError } from "../errors.ts";
import { valueIn } from "../machine/reading.ts";
import { availableText, logged } from "./cause.ts";
import { appraisalCause, deniedCause, silentlyDenied } from "./denied.ts";
import type { LoadAttempt, LoadEvidence, MachineEvidence } from "./evidence.ts";
import { fileCauses, formatCause, invalidCause, memoryCause, noPlaceCause } from "./image.ts";
import { noFileLoad, noKexec, nothingLoaded } from "./kernel-state.ts";
import { capabilityCause, permissionCause, pidNamespaceCause } from "./permission.ts";
import { signatureCause } from "./signature.ts";

/** Why kexec_file_load(2) failed to load. */
export function diagnoseLoad(
  errno: number,
  attempt: LoadAttempt,
  evidence: LoadEvidence,
  kernelLog: readonly string[],
): KexecError {
  const name = errnoName(errno);
  const cause =
    (name === "EPERM" ? callerCause(evidence, attempt.limitBefore, attempt.crash) : undefined) ??
    loadCause(name, attempt, evidence, kernelLog);
  return failure(`load ${attempt.name}`, errno, cause, kernelLog, { path: attempt.name });
}

/** Why kexec_file_load(2) failed to unload. */
export function diagnoseUnload(
  errno: number,
  crash: boolean,
  machine: MachineEvidence,
  limitBefore: number | undefined,
  kernelLog: readonly string[],
): KexecError {
  const name = errnoName(errno);
  const cause =
    (name === "EPERM" ? callerCause(machine, limitBefore, crash) : undefined) ??
    commonCause(name, machine);
  const doing = crash ? "unload the crash kernel" : "unload the loaded kernel";
  return failure(doing, errno, cause, kernelLog);
}

/** What `diagnoseExec` calls the handover. */
export const handingOver = "hand over to the loaded kernel";

/** Why reboot(LINUX_REBOOT_CMD_KEXEC) returned. */
export function diagnoseExec(
  errno: number,
  machine: MachineEvidence,
  kernelLog: readonly string[],
): KexecError {
  return failure(handingOver, errno, execCause(errnoName(errno), machine), kernelLog);
}

function failure(
  doing: string,
  errno: number,
  cause: Cause | undefined,
  kernelLog: readonly string[],
  details: Details = {},
): KexecError {
  const undocumented: Cause = {
    code: "io-error",
    why: `${errnoText(errno).toLowerCase()} (${errnoName(errno)})`,
    hint: "the kernel gives no documented reason for this: see its log (dmesg)",
  };
  return cannot(doing, cause ?? undocumented, { errno: errnoName(errno), kernelLog, details });
}

function callerCause(
  { privilege, kexec }: MachineEvidence,
  limitBefore: number | undefined,
  crash: boolean,
): Cause | undefined {
  return permissionCause(privilege, kexec, limitBefore, crash);
}

function loadCause(
  errno: string,
  attempt: LoadAttempt,
  evidence: LoadEvidence,
  kernelLog: readonly string[],
): Cause | undefined {
  const { architecture, memory, refusal } = evidence;
  const keys = attempt.crash ? crashKeysCause(kernelLog) : undefined;
  if (keys !== undefined) return keys;
  switch (errno) {
    case "EPERM":
      return deniedCause(evidence.lockdown, evidence.signature, kernelLog);
    case "EACCES":
      return appraisalCause(evidence.appraisal, kernelLog);
    case "EINVAL":
      // The kernel logs this where the check is enforced: kimage_validate_signature.
      if (logged(kernelLog, /signature verification failed/i)) {
        return signatureCause(errno, evidence.signature, kernelLog);
      }
      return invalidCause(attempt, architecture, memory, refusal, kernelLog);
    case "ENOEXEC":
      return formatCause(refusal);
    case "ENOMEM":
      return memoryCause(attempt, memory);
    case "EADDRNOTAVAIL": {
      const { handover, scratch } = evidence;
      return noPlaceCause(
        attempt,
        valueIn(evidence.kexec.crashSize),
        handover !== undefined && valueIn(handover) === true
          ? { scratch: scratch && valueIn(scratch) }
          : undefined,
      );
    }
    case "EBUSY":
      return stuckCause(kernelLog) ?? busyCause(architecture === "aarch64");
    default:
      return (
        signatureCause(errno, evidence.signature, kernelLog) ??
        fileCauses[errno] ??
        commonCause(errno, evidence)
      );
  }
}

/** Any errno, by the kernel's own word: build_keys_header, kernel/crash_dump_dm_crypt.c. */
function crashKeysCause(kernelLog: readonly string[]): Cause | undefined {
  if (!logged(kernelLog, /Failed to build dm-crypt keys header/)) return undefined;
  const missing = kernelLog.findLast((line) => /No such logon key|No key description/.test(line));
  const said = /(No such logon key|No key description for key) .*/.exec(missing ?? "")?.[0];
  return {
    code: "io-error",
    why: `a key of an encrypted disk cannot be read for the crash kernel${said === undefined ? "" : `: ${said}`}`,
    hint: "add the logon key to a keyring of yours, or take it out of /sys/kernel/config/crash_dm_crypt_keys",
  };
}

/** Causes that loading and unloading share. */
function commonCause(errno: string, machine: MachineEvidence): Cause | undefined {
  switch (errno) {
    case "EPERM":
      return silentlyDenied();
    case "EBUSY":
      return busyCause(false);
    case "ENOSYS":
      return machine.kexec.loaded.known ? noFileLoad : noKexec;
    case "ENOMEM":
      return { code: "out-of-memory", why: `not enough memory${availableText(machine.memory)}` };
    default:
      return undefined;
  }
}

/** Processors that do not come down, by the kernel's own word: machine_kexec_prepare of arm64. */
function stuckCause(kernelLog: readonly string[]): Cause | undefined {
  if (!kernelLog.some((line) => /CPUs? (?:are|is) stuck/i.test(line))) return undefined;
  return {
    code: "busy",
    why: "processors of this machine cannot be switched off, and the kernel does not start another one then",
    hint: "reboot: with firmware that knows PSCI, or with maxcpus=1 on the running kernel's command line",
  };
}

/**
 * EBUSY comes from the lock, or on arm64 from processors that do not go offline:
 * machine_kexec_prepare.
 */
function busyCause(mayBeStuck: boolean): Cause {
  return {
    code: "busy",
    why: "another kexec operation is going on",
    hint: mayBeStuck
      ? "try again when it has ended; if it never ends, processors could not be stopped (dmesg says so) and only a reboot helps"
      : "try again when it has ended",
  };
}

function execCause(errno: string, machine: MachineEvidence): Cause | undefined {
  const { privilege, kexec } = machine;
  switch (errno) {
    case "EINVAL": {
      const elsewhere = pidNamespaceCause(privilege);
      if (elsewhere !== undefined) return elsewhere;
      if (!kexec.loaded.known) {
        // kernel/reboot.c: without CONFIG_KEXEC_CORE the command is one that it does not know.
        return {
          code: "nothing-loaded",
          why: "no kernel is loaded, or the running kernel has no kexec",
          hint: `it is not known which: ${kexec.loaded.why}`,
        };
      }
      return kexec.loaded.value ? undefined : nothingLoaded;
    }
    case "EPERM":
      // The capability counts in the user namespace of the pid namespace: kernel/reboot.c.
      return capabilityCause(privilege) ?? silentlyDenied();
    case "EAGAIN":
      return {
        code: "busy",
        why: "a live update is not ready to be handed over",
        hint: "let the agents that hold /dev/liveupdate sessions finish, then try again",
      };
    default:
      return commonCause(errno, machine);
  }
}
