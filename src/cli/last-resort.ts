/**
 * The last resort of the first process. It must never end, and must not wait for ever either: what
 * nobody foresaw, such as a machine that gives no memory to a JIT and with it no system calls, ends in
 * a reboot as well. Nothing is imported here that could be what fails.
 */
import { readlinkSync, writeFileSync } from "node:fs";

/** The initial pid namespace: PROC_PID_INIT_INO of include/linux/proc_ns.h. */
const initialNamespace = "pid:[4026531836]";
/** Seconds for somebody to read what is on the console. */
const restSeconds = 10;

/** Whether this process is the machine's first one, by /proc alone. */
function isInitOfMachine(): boolean {
  try {
    return readlinkSync("/proc/self/ns/pid") === initialNamespace;
  } catch {
    return false;
  }
}

/**
 * Does the work; whatever it throws, here or in passing, is told and followed by a reboot. In a
 * container, where the end of the first process harms nobody, errors go their way.
 * @returns what the work comes to; undefined where it failed in a container
 */
export async function orReboot<T>(work: () => Promise<T>): Promise<T | undefined> {
  if (!isInitOfMachine()) return work().catch(() => undefined);
  process.on("uncaughtException", reboot);
  process.on("unhandledRejection", reboot);
  try {
    return await work();
  } catch (error) {
    return reboot(error);
  }
}

async function reboot(error: unknown): Promise<never> {
  const why = error instanceof Error ? error.message : String(error);
  console.error(`aegis-kexec: ${why}`);
  console.error(`aegis-kexec: cannot go on; rebooting through firmware in ${restSeconds} s`);
  await Bun.sleep(restSeconds * 1000);
  trigger("b");
  // The kernel has no such trigger: its panic is what is left, and `panic=` what makes a reboot of it.
  process.exit(1);
}

/** Documentation/admin-guide/sysrq.rst: `b` reboots at once, `o` switches off. */
export function trigger(command: "b" | "o"): void {
  try {
    writeFileSync("/proc/sysrq-trigger", command);
  } catch {
    // Not there, or not this kernel's.
  }
}
