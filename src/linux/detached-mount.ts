/**
 * A file system that is mounted where nobody else sees it, and reached by its descriptor only: fsopen(2),
 * fsconfig(2) and fsmount(2), Linux 5.2. Nothing has to be unmounted: closing the descriptor does that.
 */
import { callThroughSignals, close, cString } from "./descriptor.ts";

// include/uapi/linux/mount.h
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_RDONLY = 1;
const MOUNT_ATTR_NOSUID = 2;
const MOUNT_ATTR_NODEV = 4;
const MOUNT_ATTR_NOEXEC = 8;

export interface DetachedMountOptions {
  /** The device's path; undefined for a file system without one. */
  readonly source: string | undefined;
  /** Its name in /proc/filesystems. */
  readonly type: string;
  /** Flags and `name=value` options of that file system. */
  readonly options: readonly string[];
  readonly writable: boolean;
}

/** The root of a detached mount; dispose of it to unmount. */
export interface DetachedMount extends Disposable {
  readonly ok: true;
  readonly fd: number;
}

/** Why it was not mounted. */
export interface MountFailure {
  readonly ok: false;
  /** The call that failed. */
  readonly call: "fsopen" | "fsconfig" | "fsmount";
  /** The option that was refused, where it was one. */
  readonly option: string | undefined;
  readonly errno: number;
  /** What the file system logged of it into its context, at most 16 lines. */
  readonly log: readonly string[];
}

/** Mounts nosuid, nodev and noexec, read-only unless `writable`. */
export function mountDetached(wanted: DetachedMountOptions): DetachedMount | MountFailure {
  const context = callThroughSignals("fsopen", cString(wanted.type), FSOPEN_CLOEXEC);
  if (context < 0) return failure("fsopen", undefined, -context, []);
  try {
    const options = [
      ...(wanted.source === undefined ? [] : [`source=${wanted.source}`]),
      ...(wanted.writable ? [] : ["ro"]),
      ...wanted.options,
    ];
    for (const option of options) {
      const result = configure(context, option);
      if (result < 0) return failure("fsconfig", option, -result, contextLog(context));
    }
    const created = callThroughSignals("fsconfig", context, FSCONFIG_CMD_CREATE, 0, 0, 0);
    if (created < 0) return failure("fsconfig", undefined, -created, contextLog(context));
    const attributes =
      MOUNT_ATTR_NOSUID |
      MOUNT_ATTR_NODEV |
      MOUNT_ATTR_NOEXEC |
      (wanted.writable ? 0 : MOUNT_ATTR_RDONLY);
    const fd = callThroughSignals("fsmount", context, FSMOUNT_CLOEXEC, attributes);
    if (fd < 0) return failure("fsmount", undefined, -fd, contextLog(context));
    return { ok: true, fd, [Symbol.dispose]: () => close(fd) };
  } finally {
    close(context);
  }
}

function configure(context: number, option: string): number {
  const equals = option.indexOf("=");
  if (equals < 0) {
    return callThroughSignals("fsconfig", context, FSCONFIG_SET_FLAG, cString(option), 0, 0);
  }
  const [name, value] = [option.slice(0, equals), option.slice(equals + 1)];
  return callThroughSignals(
    "fsconfig",
    context,
    FSCONFIG_SET_STRING,
    cString(name),
    cString(value),
    0,
  );
}

/** Lines such as `e ext4: …`, a read(2) each (fs/fsopen.c, fscontext_read). */
function contextLog(context: number): string[] {
  const lines: string[] = [];
  while (lines.length < 16) {
    const buffer = new Uint8Array(1024);
    const got = callThroughSignals("read", context, buffer, buffer.length);
    if (got <= 0) break;
    lines.push(new TextDecoder().decode(buffer.subarray(0, got)).trim());
  }
  return lines;
}

function failure(
  call: MountFailure["call"],
  option: string | undefined,
  errno: number,
  log: readonly string[],
): MountFailure {
  return { ok: false, call, option, errno, log };
}
