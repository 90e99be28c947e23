/** reboot(2) through firmware: kernel/reboot.c, include/uapi/linux/reboot.h. */
import { libc } from "./libc.ts";

const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
const LINUX_REBOOT_MAGIC2 = 0x28121969;
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
