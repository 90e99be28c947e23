/** A command that must be refused, and what must be said of it. */
import { expect } from "bun:test";
import { errorOf, initrd, vmlinuz } from "../lib/aegis.ts";
import type { Guest } from "../lib/guest.ts";
import { predict } from "../lib/prediction.ts";

export interface Refusal {
  readonly command: string;
  readonly exit: number;
  readonly code: string;
  /** What people read on standard error. */
  readonly says: RegExp;
}

/** Runs the command: people and programs must hear the same cause. */
export async function expectRefusal(guest: Guest, refusal: Refusal): Promise<void> {
  const { command, exit, code, says } = refusal;
  const outcome = await guest.run(`${command} --json`);
  const error = errorOf(outcome.stdout);
  expect({ command, exit: outcome.exit, code: error["code"] }).toEqual({ command, exit, code });
  expect(error).toMatchObject({ exit });
  expect(outcome.stderr).toStartWith("aegis-kexec: ");
  expect(outcome.stderr).toMatch(says);
}

/** A load that must be refused, and that `inspect` must say so of before. */
export async function expectRefusedLoad(
  guest: Guest,
  { words, ...refusal }: Omit<Refusal, "command"> & { readonly words: string },
): Promise<void> {
  const prediction = await predict(guest, words);
  await expectRefusal(guest, { ...refusal, command: `aegis-kexec load ${words}` });
  prediction.holds(refusal.exit, refusal.code);
}

/** The arguments of a load of the guest's own kernel. */
export function wordsOf(cmdline: string, kernel = vmlinuz, archive = initrd): string {
  return `${kernel} --initrd ${archive} --cmdline '${cmdline}'`;
}

export function loadOf(cmdline: string): string {
  return `aegis-kexec load ${wordsOf(cmdline)}`;
}

/** Whether a kernel is loaded, as the kernel says. */
export const loaded = (guest: Guest) => guest.check("cat /sys/kernel/kexec_loaded");

export const limit = "/proc/sys/kernel/kexec_load_limit_reboot";

/** Loads that are left; undefined where the kernel does not count them: before Linux 6.3. */
export async function loadsLeft(guest: Guest): Promise<number | undefined> {
  const { exit, stdout } = await guest.run(`cat ${limit}`);
  return exit === 0 ? Number(stdout) : undefined;
}
