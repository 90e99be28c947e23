/** Kexec HandOver and live update, as far as a load and a handover have to do with them. */

import { ENOENT, errnoText } from "../../errno.ts";
import { readText, writeWord } from "../../linux/descriptor.ts";
import { exists } from "../../linux/path.ts";
import { readIdentity, readRunningCmdline } from "../../machine/kernel.ts";
import { khoParameter, readLiveUpdate } from "../../machine/live-update.ts";
import { valueIn } from "../../machine/reading.ts";
import type { Observer } from "../report.ts";

const debugFolder = "/sys/kernel/debug/kho";
const orchestrator = "/dev/liveupdate";

/** Whether the running kernel hands memory over, as far as can be told at little cost. */
async function handsOver(): Promise<boolean> {
  if (exists(debugFolder) || exists(orchestrator)) return true;
  // Asked for; whether it is built in and was not given up at boot takes a longer look.
  if (khoParameter(valueIn(readRunningCmdline()) ?? "") !== true) return false;
  const { readBuildFacts } = await import("../../machine/build-facts.ts");
  return valueIn(readLiveUpdate(readBuildFacts(readIdentity().release)).handover) !== false;
}

/** Warns where the running kernel hands over and the next one would not take it. */
export async function warnOfLostHandover(cmdline: string, observer: Observer): Promise<void> {
  if (khoParameter(cmdline) === true || !(await handsOver())) return;
  observer.warn?.(
    "the running kernel hands memory over (kho=on), and the next command line lacks kho=on: what was preserved is lost",
  );
}

/** Linux 6.16 to 6.18 hand over what was finalized: kernel/kexec_handover.c, kho_out_finalize_set. */
export function wantsFinalizing(release: string): boolean {
  return /^6\.1[678](\D|$)/.test(release);
}

/**
 * Freezes what is handed over, on the kernels that want to be told before the load: those that have
 * the file. Disposing of the result opens it again, for a load that failed; undefined where this has
 * changed nothing.
 */
export async function finalizeHandover(
  observer: Observer,
  { folder = debugFolder, release = () => readIdentity().release, on = handsOver } = {},
): Promise<Disposable | undefined> {
  const path = `${folder}/out/finalize`;
  const state = readText(path, 16);
  if (!state.ok) {
    const missing = state.errno === ENOENT;
    if (missing && (!wantsFinalizing(release()) || !(await on()))) return undefined;
    const why = missing
      ? "it is not there, so mount debugfs at /sys/kernel/debug"
      : errnoText(state.errno).toLowerCase();
    observer.warn?.(`the kexec handover is not finalized, and hands nothing over: ${path}: ${why}`);
    return undefined;
  }
  if (state.text.trim() === "1") return undefined;
  const result = writeWord(path, "1");
  if (result < 0) {
    observer.warn?.(
      `the kexec handover is not finalized, and hands nothing over: ${path}: ${errnoText(-result).toLowerCase()}`,
    );
    return undefined;
  }
  observer.note?.("finalized the kexec handover");
  return { [Symbol.dispose]: () => writeWord(path, "0") };
}

/**
 * Sessions of live update live in the descriptors of their agents, so nothing is stopped here.
 * Opening the device would change its state; it is only looked for.
 */
export function reportLiveUpdate(throughSystemd: boolean, observer: Observer): void {
  if (!exists(orchestrator)) return;
  if (throughSystemd) {
    observer.warn?.(
      `live update is on (${orchestrator}): systemd stops the agents, and their sessions are lost unless it keeps them; --force stops nothing`,
    );
  } else {
    observer.note?.(`live update is on (${orchestrator}): its agents are left running`);
  }
}
