/** What the first process mounts before it can do anything. */
import { AT_FDCWD, callThroughSignals, cString } from "./descriptor.ts";
import { EBUSY } from "./errno.ts";
import { statusOfPath } from "./file.ts";

interface EarlyMount {
  readonly type: string;
  readonly target: string;
  /** Exists once it is mounted. */
  readonly proof: string;
  /** It is made where it is missing; below /sys the kernel makes them. */
  readonly create: boolean;
}

// Documentation/filesystems: proc, sysfs, devtmpfs, securityfs, efivarfs
const mounts: readonly EarlyMount[] = [
  { type: "proc", target: "/proc", proof: "/proc/self", create: true },
  { type: "sysfs", target: "/sys", proof: "/sys/kernel", create: true },
  { type: "devtmpfs", target: "/dev", proof: "/dev/kmsg", create: true },
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
];

/** Mounts what is missing. Returns what could not be mounted, with -errno; a place that is not there is left out. */
export function mountEarly(): readonly { readonly target: string; readonly errno: number }[] {
  return mounts.flatMap(({ type, target, proof, create }) => {
    if (exists(proof)) return [];
    if (create) callThroughSignals("mkdirat", AT_FDCWD, cString(target), 0o755);
    else if (!exists(target)) return [];
    const result = callThroughSignals("mount", cString(type), cString(target), cString(type), 0, 0);
    return result < 0 && result !== -EBUSY ? [{ target, errno: -result }] : [];
  });
}

function exists(path: string): boolean {
  return typeof statusOfPath(path) !== "number";
}
