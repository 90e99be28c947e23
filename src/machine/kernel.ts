/** The facts about this machine that decide whether a kernel can be loaded and handed over to. */

import type { Architecture } from "../architecture.ts";
import { ENOENT } from "../errno.ts";
import { readHead, readText } from "../linux/descriptor.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import { exists, readLink } from "../linux/path.ts";
import { readFact } from "./read-fact.ts";
import { known, parseBoolean, parseInteger, type Reading, unknown } from "./reading.ts";

export type Lockdown = "none" | "integrity" | "confidentiality";

/** Who this process is to the kernel. */
export interface Privilege {
  /** CAP_SYS_BOOT is in the effective set. */
  readonly capSysBoot: Reading<boolean>;
  /** The kernel asks for the capability in the initial user namespace, so in a container it is not enough. */
  readonly initialUserNamespace: Reading<boolean>;
  /** In another pid namespace reboot(2) acts on that namespace and refuses KEXEC. */
  readonly initialPidNamespace: Reading<boolean>;
}

/** What the kernel says about kexec: Documentation/ABI/testing/sysfs-kernel-kexec-kdump, sysctl/kernel.rst. */
export interface KexecState {
  readonly loaded: Reading<boolean>;
  readonly crashLoaded: Reading<boolean>;
  /** Bytes reserved by `crashkernel=`; 0 when none are. */
  readonly crashSize: Reading<number>;
  readonly disabled: Reading<boolean>;
  /** Loads that are left; -1 means unlimited. */
  readonly loadLimitReboot: Reading<number>;
  readonly loadLimitPanic: Reading<number>;
}

/** Bytes, from /proc/meminfo. */
export interface Memory {
  readonly total: Reading<number>;
  readonly available: Reading<number>;
  /** Swap that is free, and the pages of programs that could go there. */
  readonly swapFree: Reading<number>;
  readonly swappable: Reading<number>;
}

const noKexec = "this kernel has no kexec (CONFIG_KEXEC_CORE is off), or /sys is not mounted";
const settings = "/proc/sys/kernel";

/** Told apart only where somebody asks: each load reads settings that older kernels do not have. */
function readSetting<T>(
  name: string,
  parse: (text: string) => T | undefined,
): ReturnType<typeof readFact<T>> {
  const read = readFact([`${settings}/${name}`], parse, "");
  if (read.known || read.why !== "") return read;
  return {
    known: false,
    get why() {
      if (exists(settings)) return "this kernel does not have the setting";
      return exists("/proc/self")
        ? "/proc shows only processes (subset=pid)"
        : "/proc is not mounted";
    },
  };
}

const kexecReaders = {
  loaded: () =>
    readFact(["/sys/kernel/kexec_loaded", "/sys/kernel/kexec/loaded"], parseBoolean, noKexec),
  crashLoaded: () =>
    readFact(
      ["/sys/kernel/kexec_crash_loaded", "/sys/kernel/kexec/crash_loaded"],
      parseBoolean,
      noKexec,
    ),
  crashSize: () =>
    readFact(
      ["/sys/kernel/kexec_crash_size", "/sys/kernel/kexec/crash_size"],
      parseInteger,
      noKexec,
    ),
  disabled: () => readSetting("kexec_load_disabled", parseBoolean),
  loadLimitReboot: () => readSetting("kexec_load_limit_reboot", parseInteger),
  loadLimitPanic: () => readSetting("kexec_load_limit_panic", parseInteger),
} satisfies { readonly [Fact in keyof KexecState]: () => KexecState[Fact] };

/** One of the facts, for who needs no other. */
export function readKexecFact<Fact extends keyof KexecState>(
  fact: Fact,
): ReturnType<(typeof kexecReaders)[Fact]>;
export function readKexecFact(fact: keyof KexecState): KexecState[keyof KexecState] {
  return kexecReaders[fact]();
}

export function readKexecState(): KexecState {
  const { loaded, crashLoaded, crashSize, disabled, loadLimitReboot, loadLimitPanic } =
    kexecReaders;
  return {
    loaded: loaded(),
    crashLoaded: crashLoaded(),
    crashSize: crashSize(),
    disabled: disabled(),
    loadLimitReboot: loadLimitReboot(),
    loadLimitPanic: loadLimitPanic(),
  };
}

/** Lockdown of the running kernel: `none [integrity] confidentiality` (security/lockdown/lockdown.c). */
export function readLockdown(): Reading<Lockdown> {
  const level = readFact(
    ["/sys/kernel/security/lockdown"],
    parseLockdown,
    "securityfs is not mounted at /sys/kernel/security",
  );
  if (level.known) return level;
  const file = readText("/sys/kernel/security/lockdown");
  const missing = !file.ok && file.errno === ENOENT;
  // Where securityfs has its other file, the kernel has no lockdown at all.
  return missing && readText("/sys/kernel/security/lsm").ok ? known("none") : level;
}

export function parseLockdown(text: string): Lockdown | undefined {
  const level = /\[(\w+)\]/.exec(text)?.[1];
  return level === "none" || level === "integrity" || level === "confidentiality"
    ? level
    : undefined;
}

// include/uapi/linux/capability.h
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAP_SYS_BOOT = 22;
// include/uapi/linux/nsfs.h (USER_NS_INIT_INO, PID_NS_INIT_INO); earlier include/linux/proc_ns.h
const INITIAL_USER_NAMESPACE = "user:[4026531837]";
const INITIAL_PID_NAMESPACE = "pid:[4026531836]";

export function readPrivilege(): Privilege {
  return { ...readLoadPrivilege(), initialPidNamespace: readInitialPidNamespace() };
}

/** The rights that a load takes. */
export function readLoadPrivilege(): Omit<Privilege, "initialPidNamespace"> {
  return {
    capSysBoot: readCapability(CAP_SYS_BOOT),
    initialUserNamespace: readNamespace("user", INITIAL_USER_NAMESPACE),
  };
}

function readInitialPidNamespace(): Reading<boolean> {
  return readNamespace("pid", INITIAL_PID_NAMESPACE);
}

function readCapability(capability: number): Reading<boolean> {
  const header = new Uint8Array(8);
  new DataView(header.buffer).setUint32(0, LINUX_CAPABILITY_VERSION_3, true);
  const data = new Uint8Array(24);
  const result = libc().call("capget", header, data);
  if (result < 0) return unknown("capget(2) failed");
  const effective = new DataView(data.buffer).getUint32(0, true);
  return known(((effective >>> capability) & 1) === 1);
}

function readNamespace(kind: "user" | "pid", initial: string): Reading<boolean> {
  const path = `/proc/self/ns/${kind}`;
  const namespace = readLink(path);
  if (typeof namespace === "string") return known(namespace === initial);
  // A kernel without namespaces of this kind has one of it, and no file.
  return namespace === -ENOENT && exists("/proc/self/ns")
    ? known(true)
    : unknown(`${path} cannot be read`);
}

export function readMemory(): Memory {
  const file = readText("/proc/meminfo");
  if (!file.ok) {
    const why = unknown("/proc/meminfo cannot be read");
    return { total: why, available: why, swapFree: why, swappable: why };
  }
  return {
    total: meminfoField(file.text, "MemTotal"),
    available: meminfoField(file.text, "MemAvailable"),
    swapFree: meminfoField(file.text, "SwapFree"),
    swappable: meminfoField(file.text, "AnonPages"),
  };
}

export function meminfoField(meminfo: string, field: string): Reading<number> {
  // Not by an expression: to compile four takes longer than all that is asked of the machine.
  const at = `\n${meminfo}`.indexOf(`\n${field}:`);
  const end = meminfo.indexOf("\n", at + 1);
  const line = at < 0 ? "" : meminfo.slice(at + field.length + 1, end < 0 ? undefined : end);
  const size = line.endsWith(" kB") ? Number(line.slice(0, -" kB".length)) : Number.NaN;
  return Number.isSafeInteger(size) && size >= 0
    ? known(size * 1024)
    : unknown(`/proc/meminfo has no ${field}`);
}

export interface KernelIdentity {
  readonly architecture: Architecture;
  /** `uname -r`. */
  readonly release: string;
}

/** struct new_utsname: six fields of 65 bytes, include/uapi/linux/utsname.h. */
export function readIdentity(): KernelIdentity {
  requireLinux();
  const buffer = new Uint8Array(6 * 65);
  libc().call("uname", buffer);
  const field = buffer.subarray(2 * 65, 3 * 65);
  const end = field.indexOf(0);
  return {
    architecture: libc().architecture,
    release: new TextDecoder().decode(field.subarray(0, end < 0 ? 65 : end)),
  };
}

/** The running kernel's command line, one line without its newline. */
export function readRunningCmdline(): Reading<string> {
  return readFact(["/proc/cmdline"], (text) => text, "/proc is not mounted");
}

/**
 * Whether the running kernel uses 5-level paging: it takes `la57` out of the flags where it does
 * not (Documentation/arch/x86/cpuinfo.rst). The first processor speaks for all.
 */
export function readFiveLevelPaging(): Reading<boolean> {
  if (libc().architecture !== "x86_64") return known(false);
  // The file grows with the machine.
  const head = readHead("/proc/cpuinfo", 16384);
  if (head.length === 0) return unknown("/proc is not mounted");
  const found = fiveLevelPagingIn(new TextDecoder().decode(head));
  return found === undefined ? unknown("/proc/cpuinfo has no flags") : known(found);
}

export function fiveLevelPagingIn(cpuinfo: string): boolean | undefined {
  const flags = /^flags\s*:(.*)$/m.exec(cpuinfo)?.[1];
  return flags === undefined ? undefined : /\bla57\b/.test(flags);
}
