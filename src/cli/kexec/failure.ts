/**
 * A failure in kexec-tools' words, which scripts grep for the text of strerror(3), in front of this
 * program's own; and kexec-tools' exit code for it. Pure.
 */

import { errnoTextOf } from "../../errno.ts";
import { ExitCode, type KexecError } from "../../errors.ts";
import { errorInItsOptions } from "./wording.ts";

// kexec/kexec.h of kexec-tools: EFAILED (-1) and EFALLBACK (-3), as main returns them.
export const FAILED = 255;
export const NOT_TAKEN = 253;

/** The step that failed. */
export type Doing =
  | { readonly do: "load"; readonly kernel: string }
  | { readonly do: "unload" }
  | { readonly do: "exec" }
  | { readonly do: "shutdown" };

export interface Explained {
  /** kexec-tools' own lines. */
  readonly lines: readonly string[];
  readonly error: KexecError;
  readonly exit: number;
}

/**
 * What kexec-tools takes as "kexec_load(2) may do it": do_kexec_file_load in kexec/kexec.c. With
 * `-s` it ends there.
 */
const notTaken: ReadonlySet<string> = new Set(["ENOSYS", "EINVAL", "ENOEXEC", "EOPNOTSUPP"]);

/** The exit codes of errors that come from the system call, or that it would have given. */
const fromTheCall: ReadonlySet<ExitCode> = new Set([
  ExitCode.unsupportedSystem,
  ExitCode.kernelSignature,
  ExitCode.notPermitted,
  ExitCode.notBootable,
  ExitCode.noMemory,
  ExitCode.busy,
]);

export function explain(error: KexecError, doing: Doing): Explained {
  if (error.code === "internal-error")
    return { lines: [], error: errorInItsOptions(error), exit: 1 };
  if (error.code === "no-crash-memory" && error.errno === undefined) {
    return { lines: ["Memory for crashkernel is not reserved"], error, exit: 1 };
  }
  if (error.code === "nothing-loaded" && error.errno === undefined) {
    return { lines: ["Nothing has been loaded!"], error, exit: 1 };
  }
  const asked = doing.do === "load" || doing.do === "unload";
  const denied = error.code === "no-capability" || (asked && error.exit === ExitCode.notPermitted);
  const errno = error.errno ?? (denied ? "EPERM" : undefined);
  const text = errno === undefined ? undefined : errnoTextOf(errno);
  const lines = text === undefined ? [] : [lineOf(doing, fromTheCall.has(error.exit), text)];
  if (errno === "ENOSYS") lines.push("syscall kexec_file_load not available.");
  const isNotTaken =
    errno !== undefined &&
    (doing.do === "load" ? notTaken.has(errno) : asked && errno === "ENOSYS");
  return { lines, error: errorInItsOptions(error), exit: isNotTaken ? NOT_TAKEN : FAILED };
}

function lineOf(doing: Doing, fromCall: boolean, text: string): string {
  switch (doing.do) {
    case "unload":
      return `kexec_file_load(unload) failed: ${text}`;
    case "exec":
      return `kexec failed: ${text}`;
    case "shutdown":
      return `shutdown: ${text}`;
    case "load":
      return fromCall ? `kexec_file_load failed: ${text}` : `Cannot load ${doing.kernel}: ${text}`;
  }
}
