/** reboot(2), into the loaded kernel and through firmware: kernel/reboot.c. */

import { EAGAIN, EBUSY, EINTR } from "../errno.ts";
import { libc } from "./libc.ts";

// include/uapi/linux/reboot.h
const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
const LINUX_REBOOT_MAGIC2 = 0x28121969;
const LINUX_REBOOT_CMD_KEXEC = 0x45584543;

/**
 * Jumps into the loaded kernel. Returns only on failure.
 * @returns -errno
 */
export function rebootKexec(): number {
  return patiently(() =>
    libc().call("reboot", LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, 0),
  );
}

const commands = { reboot: 0x01234567, poweroff: 0x4321fedc } as const;

export type PowerAction = keyof typeof commands;

/** Restarts through firmware, or switches the machine off. Returns only on failure: -errno. */
export function power(action: PowerAction): number {
  return libc().call("reboot", LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, commands[action], 0);
}

/** Whether this process is the first one, which must never end. */
export function isInit(): boolean {
  return process.pid === 1;
}

/** How long to wait for another kexec operation to end: it holds the lock while it copies. */
const BUSY_WAITS_MS = [20, 50, 100, 200, 400, 800, 1600] as const;

/** Makes a call again while another kexec operation holds the lock (EBUSY), for about three seconds. */
export function patiently(attempt: () => number): number {
  for (const wait of BUSY_WAITS_MS) {
    const result = attempt();
    if (result === -EINTR) continue;
    if (result !== -EBUSY && result !== -EAGAIN) return result;
    Bun.sleepSync(wait);
  }
  return attempt();
}
