/** What the first process mounts before it can do anything. */

import { EBUSY } from "../errno.ts";
import { AT_FDCWD, callThroughSignals, cString } from "./descriptor.ts";
import { readMounts } from "./mounts.ts";
import { exists } from "./path.ts";

interface EarlyMount {
  readonly type: string;
  readonly target: string;
  /** Exists once it is mounted; undefined where only the list of mounts tells. */
  readonly proof: string | undefined;
  /** It is made where it is missing; below /sys the kernel makes them. */
  readonly create: boolean;
}

const proc: EarlyMount = { type: "proc", target: "/proc", proof: "/proc/self", create: true };

// Documentation/filesystems: proc, sysfs, devtmpfs, securityfs, efivarfs, debugfs (for kexec handover)
const others: readonly EarlyMount[] = [
  { type: "sysfs", target: "/sys", proof: "/sys/kernel", create: true },
  // An initramfs may bring nodes of its own, and those of disks are not among them.
  { type: "devtmpfs", target: "/dev", proof: undefined, create: true },
  {
    type: "securityfs",
    target: "/sys/kernel/security",
    proof: "/sys/kernel/security/lsm",
    create: false,
  },
  {
    type: "efivarfs",
    target: "/sys/firmware/efi/efivars",
    proof: "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
    create: false,
  },
  {
    type: "debugfs",
    target: "/sys/kernel/debug",
    proof: "/sys/kernel/debug/kho",
    create: false,
  },
];

/** Mounts /proc alone: what tells the first process of a machine from that of a container. */
export function mountProc(): void {
  mountAll([proc]);
}

interface Failure {
  readonly target: string;
  readonly errno: number;
}

/** Mounts what is missing. Returns what could not be mounted; a place that is not there is left out. */
export function mountEarly(): readonly Failure[] {
  return mountAll([proc, ...others]);
}

function mountAll(mounts: readonly EarlyMount[]): readonly Failure[] {
  return mounts.flatMap(({ type, target, proof, create }) => {
    if (proof === undefined ? isMounted(target) : exists(proof)) return [];
    if (create) callThroughSignals("mkdirat", AT_FDCWD, cString(target), 0o755);
    else if (!exists(target)) return [];
    const result = callThroughSignals("mount", cString(type), cString(target), cString(type), 0, 0);
    return result < 0 && result !== -EBUSY ? [{ target, errno: -result }] : [];
  });
}

function isMounted(target: string): boolean {
  const mounts = readMounts();
  return typeof mounts !== "number" && mounts.some(({ mountPoint }) => mountPoint === target);
}
