/** What the running kernel does for a crash kernel, beside reserving memory for it. */

import { ENOENT } from "../errno.ts";
import { isSince } from "../kernel-release.ts";
import { readText } from "../linux/descriptor.ts";
import { readMounts } from "../linux/mounts.ts";
import { exists } from "../linux/path.ts";
import type { CmdlineLimit } from "../source/cmdline.ts";
import { readFact } from "./read-fact.ts";
import { known, parseBoolean, parseInteger, type Reading, unknown } from "./reading.ts";

export interface CrashFacts {
  /**
   * The kernel itself tells the loaded crash kernel of processors, and of memory, that come and go
   * (CONFIG_CRASH_HOTPLUG); otherwise it must be loaded again.
   */
  readonly updatesProcessors: Reading<boolean>;
  readonly updatesMemory: Reading<boolean>;
  /** Keys of encrypted disks that it gives a crash kernel (CONFIG_CRASH_DM_CRYPT). */
  readonly keys: Reading<number>;
  /** A later load takes the keys of the one before, which then need not be in a keyring. */
  readonly keysReused: Reading<boolean>;
}

// Documentation/admin-guide/kdump/kdump.rst; a configfs group of kernel/crash_dump_dm_crypt.c
const configfs = "/sys/kernel/config";
const keyFolder = `${configfs}/crash_dm_crypt_keys`;

export function readCrashFacts(release: string, crashLoaded: Reading<boolean>): CrashFacts {
  const updates = (device: string) =>
    readUpdates(`/sys/devices/system/${device}/crash_hotplug`, crashLoaded);
  const keys = readKeyCount();
  const hidden = keys === undefined && mayHaveKeys(release) && isUnmounted();
  const why = unknown(`configfs is not mounted at ${configfs}`);
  return {
    updatesProcessors: updates("cpu"),
    updatesMemory: updates("memory"),
    keys: keys ?? (hidden ? why : known(0)),
    keysReused:
      keys !== undefined
        ? readFact([`${keyFolder}/reuse`], parseBoolean, `this kernel has no ${keyFolder}/reuse`)
        : hidden
          ? why
          : known(false),
  };
}

/** CONFIG_CRASH_DM_CRYPT came with Linux 6.16. */
const mayHaveKeys = (release: string) => isSince(release, 6, 16);

/** The mount point is there with configfs itself: fs/configfs/mount.c. */
function isUnmounted(): boolean {
  if (!exists(configfs)) return false;
  const mounts = readMounts();
  return typeof mounts === "number" || mounts.every(({ mountPoint }) => mountPoint !== configfs);
}

/** crash_check_hotplug_support, kernel/crash_core.c: without a crash kernel it is 0 everywhere. */
function readUpdates(path: string, crashLoaded: Reading<boolean>): Reading<boolean> {
  const file = readText(path);
  if (!file.ok && file.errno === ENOENT) return known(false);
  if (!crashLoaded.known) return crashLoaded;
  if (!crashLoaded.value) return unknown("the kernel shows it only while a crash kernel is loaded");
  return readFact([path], parseBoolean, "");
}

/** Undefined where the kernel has no such keys, or configfs is not mounted. */
export function readKeyCount(): Reading<number> | undefined {
  const path = `${keyFolder}/count`;
  const file = readText(path);
  if (!file.ok && file.errno === ENOENT) return undefined;
  return readFact([path], parseInteger, "");
}

/**
 * Bytes of a command line that ` dmcryptkeys=0x…` may take: MAX_DMCRYPTKEYS_STR_LEN,
 * arch/x86/kernel/kexec-bzimage64.c. arm64 passes the place on in its device tree.
 */
const keyWord = 31;

/** What bounds the command line of a crash kernel, which may get a word on keys. */
export function withKeyRoom<L extends CmdlineLimit>(limit: L): L {
  const count = limit.architecture === "x86_64" ? readKeyCount() : undefined;
  const reserved = count?.known === true && count.value > 0 ? keyWord : 0;
  return { ...limit, reserved };
}

/** Bytes of reserved memory that keys take: struct keys_header, whole pages (kernel/crash_dump_dm_crypt.c). */
export function keyMemory(keys: number): number {
  return keys === 0 ? 0 : Math.ceil((4 + keys * (4 + 128 + 256)) / 4096) * 4096;
}
