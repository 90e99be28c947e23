/** kexec_file_load(2): kernel/kexec_file.c. */

import { isSince } from "../kernel-release.ts";
import { cString } from "./descriptor.ts";
import { libc } from "./libc.ts";
import { patiently } from "./reboot.ts";

// include/uapi/linux/kexec.h
const KEXEC_FILE_UNLOAD = 1;
const KEXEC_FILE_ON_CRASH = 2;
const KEXEC_FILE_NO_INITRAMFS = 4;
const KEXEC_FILE_DEBUG = 8;

export interface LoadCall {
  readonly kernelFd: number;
  /** Left out: the next kernel gets no initramfs. */
  readonly initrdFd: number | undefined;
  /** Without NUL; `checkCmdline` has seen to it. */
  readonly cmdline: string;
  readonly crash: boolean;
  /** KEXEC_FILE_DEBUG, where `knowsDebug`: the kernel logs where it places what. */
  readonly debug: boolean;
  /**
   * Wait for another kexec operation to end. Not where `kexec_load_limit_*` is finite: the kernel
   * counts an attempt before it looks at the lock (kernel/kexec_core.c, kexec_load_permitted).
   */
  readonly patient: boolean;
}

/**
 * Whether the kernel of this release knows KEXEC_FILE_DEBUG: Linux 6.7 and later. Earlier ones refuse
 * it by EINVAL, and count the attempt (kexec_load_permitted).
 */
export function knowsDebug(release: string): boolean {
  return isSince(release, 6, 7);
}

/**
 * Loads. EBUSY means that another operation holds the kexec lock; it is waited out for about
 * three seconds where `patient`.
 * @returns 0, or -errno
 */
export function kexecFileLoad(load: LoadCall): number {
  const cmdline = cString(load.cmdline);
  const flags =
    (load.crash ? KEXEC_FILE_ON_CRASH : 0) |
    (load.initrdFd === undefined ? KEXEC_FILE_NO_INITRAMFS : 0) |
    (load.debug ? KEXEC_FILE_DEBUG : 0);
  const attempt = () =>
    libc().call(
      "kexec_file_load",
      descriptor(load.kernelFd),
      load.initrdFd === undefined ? -1 : descriptor(load.initrdFd),
      cmdline.byteLength,
      cmdline,
      flags,
    );
  return load.patient ? patiently(attempt) : attempt();
}

/**
 * Drops the loaded kernel, or the crash kernel. It succeeds when nothing is loaded.
 * @returns 0, or -errno
 */
export function kexecFileUnload(crash: boolean, patient: boolean): number {
  const flags = KEXEC_FILE_UNLOAD | (crash ? KEXEC_FILE_ON_CRASH : 0);
  const attempt = () => libc().call("kexec_file_load", -1, -1, 0, 0, flags);
  return patient ? patiently(attempt) : attempt();
}

function descriptor(fd: number): number {
  if (!Number.isInteger(fd) || fd < 0) throw new TypeError(`${fd} is not a descriptor`);
  return fd;
}
