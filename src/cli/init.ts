/**
 * The program as the first process of a machine (`rdinit=/sbin/aegis-kexec`). That process must never
 * end: whatever comes back is followed by a reboot through firmware.
 */

import { errnoText } from "../errno.ts";
import { end } from "../handoff/leave/on-failure.ts";
import { endsParameters, kernelWords } from "../kernel-words.ts";
import { setModuleLoader } from "../linux/device/modules.ts";
import { mountEarly, mountProc } from "../linux/early-mounts.ts";
import { exists } from "../linux/path.ts";
import { isInit, type PowerAction, power } from "../linux/reboot.ts";
import { readIdentity, readPrivilege, readRunningCmdline } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { beforeEndOfOptions } from "./arguments/parse.ts";
import { trigger } from "./last-resort.ts";
import { failureWords } from "./output/describe.ts";
import { STDERR, writeLines } from "./output/streams.ts";
import { run } from "./run.ts";

/** Seconds for somebody to read what is on the console. */
const restSeconds = 10;

/** Whether this is the first process of the machine, and not of a container. */
export function isFirstProcess(): boolean {
  if (process.platform !== "linux" || !isInit()) return false;
  mountProc();
  return valueIn(readPrivilege().initialPidNamespace) === true;
}

/** Runs, and ends in a reboot. */
export async function runAsInit(argv: readonly string[]): Promise<number> {
  for (const { target, errno } of mountEarly()) {
    say(`${target} could not be mounted: ${errnoText(errno).toLowerCase()}`);
  }
  const cmdline = valueIn(readRunningCmdline());
  const words = initArguments(argv, cmdline);
  await loadModules(words, cmdline ?? "");
  await setUpNetwork(words);
  const exit = await run(words);
  const action = lastAction(words);
  say(`ended with exit code ${exit}; ${failureWords[action]} in ${restSeconds} s`);
  await Bun.sleep(restSeconds * 1000);
  await end(action, { warn: say });
  // Refused: to end here would be a kernel panic, and to wait no better.
  for (;;) {
    trigger(action === "reboot" ? "b" : "o");
    await Bun.sleep(restSeconds * 1000);
    power(action);
  }
}

const isUrl = (word: string) => /^https?:\/\//i.test(word);

/** Where a SOURCE is on a server, and nobody else has set the network up. */
async function setUpNetwork(words: readonly string[]): Promise<void> {
  const given = beforeEndOfOptions(words);
  if (!given.some(isUrl)) return;
  const network = await import("../handoff/network/set-up.ts");
  await network.setUpNetwork({
    warn: (line) => say(`warning: ${line}`),
    note: (line) => {
      if (given.includes("--verbose")) say(line);
    },
  });
}

/** What leads to disks, where nobody else loads it; file systems and what comes later follow as they are needed. */
async function loadModules(words: readonly string[], cmdline: string): Promise<void> {
  const given = beforeEndOfOptions(words);
  const hasModules = exists("/lib/modules") || exists("/usr/lib/modules");
  if (given.includes("--no-modules") || !hasModules) return;
  const { moduleLoaderFor } = await import("../handoff/modules/loader.ts");
  const network = given.some(isUrl);
  const watchdog = given.some((word) => /^--watchdog(?:=|$)/.test(word));
  const loader = moduleLoaderFor(
    { release: readIdentity().release, cmdline },
    { network, watchdog },
    {
      warn: (line) => say(`warning: ${line}`),
      note: (line) => {
        if (given.includes("--verbose")) say(line);
      },
    },
  );
  setModuleLoader(loader);
  loader?.devices();
}

/** Words that could not be parsed are a failure as well: what they ask for is done then. */
export function lastAction(words: readonly string[]): PowerAction {
  const asked = words.some(
    (word, index) =>
      word === "--on-failure=poweroff" ||
      (word === "poweroff" && words[index - 1] === "--on-failure"),
  );
  return asked ? "poweroff" : "reboot";
}

/**
 * The arguments behind `--` on the kernel command line. The kernel puts words in front of them that
 * it does not know (init/main.c, unknown_bootoption), and boot loaders under UEFI the name of the
 * initramfs behind them (Documentation/admin-guide/efi-stub.rst); both are left out.
 */
export function initArguments(
  argv: readonly string[],
  cmdline: string | undefined,
): readonly string[] {
  const words = cmdline === undefined ? [] : kernelWords(cmdline).words;
  const dashes = words.findIndex(endsParameters);
  const count = dashes < 0 ? argv.length : words.length - dashes - 1;
  const given = count === 0 ? [] : argv.slice(-count);
  return given.filter((word) => !word.startsWith("initrd="));
}

function say(line: string): void {
  writeLines(STDERR, [`aegis-kexec: ${line}`]);
}
