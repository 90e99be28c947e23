/** Causes that lie in the state of the running kernel, whatever was asked of it. Pure. */
import type { Cause } from "../errors.ts";

/** The kernel shows what is loaded, and does not have the call. */
export const noFileLoad: Cause = {
  code: "no-kexec-file",
  why: "this kernel was built without CONFIG_KEXEC_FILE",
  hint: "boot a kernel that has it (Debian's arm64 kernels do not): kexec_load(2) verifies nothing and is not used",
};

/** The kernel shows nothing of kexec. */
export const noKexec: Cause = {
  code: "no-kexec-file",
  why: "this kernel was built without kexec, or does not show it to this process",
  hint: "boot a kernel with CONFIG_KEXEC_FILE; a container's seccomp filter answers the same",
};

export const nothingLoaded: Cause = {
  code: "nothing-loaded",
  why: "no kernel is loaded",
  hint: "load one first: aegis-kexec load KERNEL",
};
