/**
 * From an errno, and what the machine says, to the cause. Pure: every row of the causes can be
 * tried without a kernel. Orders and meanings: kernel/kexec_file.c, kernel/reboot.c.
 */

import { errnoName, errnoText } from "../errno.ts";
import { KexecError } from "../errors.ts";
import { valueIn } from "../machine/reading.ts";
import { availableText, type Cause, logged } from "./cause.ts";
import { appraisalCause, deniedCause, filteredCause } from "./denied.ts";
import type { LoadAttempt, LoadEvidence, MachineEvidence } from "./evidence.ts";
import { fileCauses, formatCause, invalidCause, memoryCause, noPlaceCause } from "./image.ts";
import { permissionProblem } from "./permission.ts";
import { signatureCause } from "./signature.ts";

/** Why kexec_file_load(2) failed to load. */
export function diagnoseLoad(
  errno: number,
  attempt: LoadAttempt,
  evidence: LoadEvidence,
  kernelLog: readonly string[],
): KexecError {
  const doing = `load ${attempt.name}`;
  const name = errnoName(errno);
  const cause =
    (name === "EPERM"
      ? permissionCause(doing, evidence, attempt.limitBefore, attempt.crash)
      : undefined) ?? loadCause(name, attempt, evidence, kernelLog);
  return failure(doing, errno, cause, kernelLog);
}

/** Why kexec_file_load(2) failed to unload. */
export function diagnoseUnload(
  errno: number,
  crash: boolean,
  machine: MachineEvidence,
  limitBefore: number | undefined,
  kernelLog: readonly string[],
): KexecError {
  const doing = crash ? "unload the crash kernel" : "unload the loaded kernel";
  const name = errnoName(errno);
  const cause =
    (name === "EPERM" ? permissionCause(doing, machine, limitBefore, crash) : undefined) ??
    commonCause(name, machine);
  return failure(doing, errno, cause, kernelLog);
}

/** Why reboot(LINUX_REBOOT_CMD_KEXEC) returned. */
export function diagnoseExec(
  errno: number,
  machine: MachineEvidence,
  kernelLog: readonly string[],
): KexecError {
  const cause = execCause(errnoName(errno), machine);
  return failure("hand over to the loaded kernel", errno, cause, kernelLog);
}

function failure(
  doing: string,
  errno: number,
  cause: Cause | undefined,
  kernelLog: readonly string[],
): KexecError {
  const detail = { errno: errnoName(errno), kernelLog };
  if (cause === undefined) {
    return new KexecError("io-error", {
      ...detail,
      message: `cannot ${doing}: ${errnoText(errno).toLowerCase()} (${errnoName(errno)})`,
      hint: "the kernel gives no documented reason for this: see its log (dmesg)",
    });
  }
  return new KexecError(cause.code, {
    ...detail,
    message: `cannot ${doing}: ${cause.why}`,
    ...(cause.hint === undefined ? {} : { hint: cause.hint }),
  });
}

function permissionCause(
  doing: string,
  { privilege, kexec }: MachineEvidence,
  limitBefore: number | undefined,
  crash: boolean,
): Cause | undefined {
  const problem = permissionProblem(doing, privilege, kexec, limitBefore, crash);
  if (problem === undefined) return undefined;
  return {
    code: problem.code,
    why: problem.message.slice(`cannot ${doing}: `.length),
    ...(problem.hint === undefined ? {} : { hint: problem.hint }),
  };
}

function loadCause(
  errno: string,
  attempt: LoadAttempt,
  evidence: LoadEvidence,
  kernelLog: readonly string[],
): Cause | undefined {
  const { architecture, memory, refusal } = evidence;
  switch (errno) {
    case "EPERM":
      return deniedCause(evidence.lockdown, evidence.signature, kernelLog);
    case "EACCES":
      return appraisalCause(evidence.appraisal, kernelLog);
    case "EINVAL":
      // What the kernel logs of an enforced check: kimage_validate_signature.
      if (logged(kernelLog, /signature verification failed/i)) {
        return signatureCause(errno, evidence.signature, kernelLog);
      }
      return invalidCause(attempt, architecture, memory, refusal, kernelLog);
    case "ENOEXEC":
      return formatCause(refusal);
    case "ENOMEM":
      return memoryCause(attempt, memory);
    case "EADDRNOTAVAIL": {
      const { handover } = evidence;
      return noPlaceCause(
        attempt,
        valueIn(evidence.kexec.crashSize),
        handover === undefined ? undefined : valueIn(handover),
      );
    }
    case "EBUSY":
      return busyCause(architecture === "aarch64");
    default:
      return (
        signatureCause(errno, evidence.signature, kernelLog) ??
        fileCauses[errno] ??
        commonCause(errno, evidence)
      );
  }
}

/** Causes that loading and unloading share. */
function commonCause(errno: string, machine: MachineEvidence): Cause | undefined {
  switch (errno) {
    case "EPERM":
      return filteredCause();
    case "EBUSY":
      return busyCause(false);
    case "ENOSYS":
      return machine.kexec.loaded.known
        ? {
            code: "no-kexec-file",
            why: "this kernel was built without CONFIG_KEXEC_FILE",
            hint: "boot a kernel that has it (Debian's arm64 kernels do not): kexec_load(2) verifies nothing and is not used",
          }
        : {
            code: "no-kexec-file",
            why: "this kernel was built without kexec, or does not show it to this process",
            hint: "boot a kernel with CONFIG_KEXEC_FILE; a container's seccomp filter answers the same",
          };
    case "ENOMEM":
      return { code: "out-of-memory", why: `not enough memory${availableText(machine.memory)}` };
    default:
      return undefined;
  }
}

/** The lock, or on arm64 processors that would not go offline: machine_kexec_prepare. */
function busyCause(mayBeStuck: boolean): Cause {
  return {
    code: "busy",
    why: "another kexec operation is going on",
    hint: mayBeStuck
      ? "try again when it has ended; if that never comes, processors could not be stopped (dmesg says so) and only a reboot helps"
      : "try again when it has ended",
  };
}

function execCause(errno: string, machine: MachineEvidence): Cause | undefined {
  const { privilege, kexec } = machine;
  switch (errno) {
    case "EINVAL":
      if (valueIn(privilege.initialPidNamespace) === false) {
        return {
          code: "pid-namespace",
          why: "this process is not in the initial pid namespace",
          hint: "run it on the host, not in a container",
        };
      }
      if (!kexec.loaded.known) {
        // kernel/reboot.c: without CONFIG_KEXEC_CORE the command is one that it does not know.
        return {
          code: "nothing-loaded",
          why: "no kernel is loaded, or the running kernel has no kexec",
          hint: `it is not known which: ${kexec.loaded.why}`,
        };
      }
      if (kexec.loaded.value) return undefined;
      return {
        code: "nothing-loaded",
        why: "no kernel is loaded",
        hint: "load one first: aegis-kexec load KERNEL",
      };
    case "EPERM":
      return valueIn(privilege.capSysBoot) === false ||
        valueIn(privilege.initialUserNamespace) === false
        ? {
            code: "no-capability",
            why: "this process does not have CAP_SYS_BOOT",
            hint: "run it as root, outside of containers",
          }
        : filteredCause();
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
