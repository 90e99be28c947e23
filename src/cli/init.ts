/**
 * The program as the first process of a machine (`rdinit=/sbin/aegis-kexec`). That process must never
 * end: whatever comes back is followed by a reboot through firmware.
 */
import { end } from "../handoff/on-failure.ts";
import { mountEarly } from "../linux/early-mounts.ts";
import { errnoText } from "../linux/errno.ts";
import { readPrivilege, readRunningCmdline } from "../linux/machine.ts";
import { isInit } from "../linux/power.ts";
import { valueIn } from "../linux/reading.ts";
import { kernelWords } from "../trust/append.ts";
import { run } from "./run.ts";
import { STDERR, writeLines } from "./streams.ts";

/** Seconds for somebody to read what is on the console. */
const restSeconds = 10;

/** Whether this is the first process of the machine, and not of a container. */
export function isFirstProcess(): boolean {
  if (process.platform !== "linux" || !isInit()) return false;
  mountEarly();
  return valueIn(readPrivilege().initialPidNamespace) === true;
}

/** Runs, and ends in a reboot. */
export async function runAsInit(argv: readonly string[]): Promise<number> {
  for (const { target, errno } of mountEarly()) {
    say(`${target} could not be mounted: ${errnoText(errno).toLowerCase()}`);
  }
  const cmdline = valueIn(readRunningCmdline());
  const exit = await run(initArguments(argv, cmdline));
  say(`ended with exit code ${exit}; rebooting through firmware in ${restSeconds} s`);
  await Bun.sleep(restSeconds * 1000);
  await end("reboot", { warn: say });
  // Firmware refused: to end here would be a kernel panic, which is no better.
  for (;;) await Bun.sleep(1 << 30);
}

/**
 * The arguments behind `--` on the kernel command line. The kernel puts words in front of them that
 * it does not know (init/main.c, unknown_bootoption); those are left out.
 */
export function initArguments(
  argv: readonly string[],
  cmdline: string | undefined,
): readonly string[] {
  if (cmdline === undefined) return argv;
  const { words } = kernelWords(cmdline);
  const dashes = words.indexOf("--");
  if (dashes < 0) return argv;
  const count = words.length - dashes - 1;
  return count === 0 ? [] : argv.slice(-count);
}

function say(line: string): void {
  writeLines(STDERR, [`aegis-kexec: ${line}`]);
}
