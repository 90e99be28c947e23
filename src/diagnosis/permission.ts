/** Why the kernel does not permit kexec here, by what the machine says. Pure. */
import { KexecError, type KexecErrorDetail } from "../errors.ts";
import type { KexecState, Privilege } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";

/** What counts for a load. */
type LoadPrivilege = Omit<Privilege, "initialPidNamespace">;
type Refusal = Omit<KexecErrorDetail, "message"> & { readonly why: string };

function refuse(
  code: ConstructorParameters<typeof KexecError>[0],
  doing: string,
  { why, ...detail }: Refusal,
): KexecError {
  return new KexecError(code, { ...detail, message: `cannot ${doing}: ${why}` });
}

/** Why this process may neither load nor hand over: it lacks the capability that both ask for. */
export function capabilityProblem(doing: string, privilege: LoadPrivilege): KexecError | undefined {
  if (valueIn(privilege.capSysBoot) === false) {
    return refuse("no-capability", doing, {
      why: "this process does not have CAP_SYS_BOOT",
      hint: "run it as root, outside of containers",
    });
  }
  if (valueIn(privilege.initialUserNamespace) === false) {
    return refuse("no-capability", doing, {
      why: "this process is in a user namespace, where CAP_SYS_BOOT does not count",
      hint: "run it on the host, not in a container",
    });
  }
  return undefined;
}

/**
 * The first of the kernel's own permission checks that this process fails (kexec_load_permitted,
 * kernel/kexec_core.c), or undefined. `limit` is the limit before the call.
 */
export function permissionProblem(
  doing: string,
  privilege: LoadPrivilege,
  state: Pick<KexecState, "disabled">,
  limit: number | undefined,
  crash: boolean,
): KexecError | undefined {
  const problem = capabilityProblem(doing, privilege);
  if (problem !== undefined) return problem;
  if (valueIn(state.disabled) === true) {
    return refuse("kexec-disabled", doing, {
      why: "kernel.kexec_load_disabled is 1",
      hint: "the setting lasts until a reboot: find what sets it (sysctl.d, --lock) if that is not wanted",
    });
  }
  if (limit === 0) {
    const name = crash ? "kexec_load_limit_panic" : "kexec_load_limit_reboot";
    return refuse("load-limit-reached", doing, {
      why: `kernel.${name} is used up`,
      hint: "the limit can only be lowered: reboot to load again",
    });
  }
  return undefined;
}
