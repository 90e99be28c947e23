/** Tells from the facts of the machine why the kernel does not permit kexec here. Pure. */
import type { Cause } from "../errors.ts";
import type { KexecState, Privilege } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";

/** The rights that a load takes. */
type LoadPrivilege = Omit<Privilege, "initialPidNamespace">;

/** Why this process may neither load nor hand over: it lacks the capability that both ask for. */
export function capabilityCause(privilege: LoadPrivilege): Cause | undefined {
  if (valueIn(privilege.capSysBoot) === false) {
    return {
      code: "no-capability",
      why: "this process does not have CAP_SYS_BOOT",
      hint: "run it as root, outside of containers",
    };
  }
  if (valueIn(privilege.initialUserNamespace) === false) {
    return {
      code: "no-capability",
      why: "this process is in a user namespace, where CAP_SYS_BOOT does not count",
      hint: "run it on the host, not in a container",
    };
  }
  return undefined;
}

/** Why this process may not hand over: in another pid namespace reboot(2) acts on that namespace. */
export function pidNamespaceCause({
  initialPidNamespace,
}: Pick<Privilege, "initialPidNamespace">): Cause | undefined {
  if (valueIn(initialPidNamespace) !== false) return undefined;
  return {
    code: "pid-namespace",
    why: "this process is not in the initial pid namespace",
    hint: "run it on the host, not in a container",
  };
}

/**
 * The first of the kernel's own permission checks that this process fails (kexec_load_permitted,
 * kernel/kexec_core.c), or undefined. `limit` is the limit before the call.
 */
export function permissionCause(
  privilege: LoadPrivilege,
  state: Pick<KexecState, "disabled">,
  limit: number | undefined,
  crash: boolean,
): Cause | undefined {
  const capability = capabilityCause(privilege);
  if (capability !== undefined) return capability;
  if (valueIn(state.disabled) === true) {
    return {
      code: "kexec-disabled",
      details: { setting: "kernel.kexec_load_disabled" },
      why: "kernel.kexec_load_disabled is 1",
      hint: "the setting lasts until a reboot: find what sets it (sysctl.d, --lock) if that is not wanted",
    };
  }
  if (limit === 0) {
    const name = crash ? "kexec_load_limit_panic" : "kexec_load_limit_reboot";
    return {
      code: "load-limit-reached",
      details: { setting: `kernel.${name}` },
      why: `kernel.${name} is used up`,
      hint: "the limit can only be lowered: reboot to load again",
    };
  }
  return undefined;
}

/** Why no crash kernel can be loaded: nothing is reserved for one. */
export function crashMemoryCause(reserved: number | undefined): Cause | undefined {
  if (reserved !== 0) return undefined;
  return {
    code: "no-crash-memory",
    why: "no memory is reserved for a crash kernel",
    hint: "boot with crashkernel=256M (or more) on the command line",
  };
}
