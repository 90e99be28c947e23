/** Kexec HandOver and live update, as far as a load and a handover have to do with them. */

import { readText } from "../linux/descriptor.ts";
import { errnoText } from "../linux/errno.ts";
import { statusOfPath } from "../linux/file.ts";
import { findInKernelLog } from "../linux/kmsg.ts";
import { khoParameter } from "../linux/live-update.ts";
import { readRunningCmdline } from "../linux/machine.ts";
import { valueIn } from "../linux/reading.ts";
import { writeWord } from "../linux/sysfs.ts";
import type { Observer } from "./report.ts";

const debugFolder = "/sys/kernel/debug/kho";
/** Only Linux 6.16 to 6.18 have it: kernel/kexec_handover.c. */
const finalizePath = `${debugFolder}/out/finalize`;
const orchestrator = "/dev/liveupdate";

function exists(path: string): boolean {
  return typeof statusOfPath(path) !== "number";
}

/** Whether the running kernel is known to hand memory over. */
function handsOver(): boolean {
  const cmdline = valueIn(readRunningCmdline());
  return (
    exists(debugFolder) ||
    exists(orchestrator) ||
    // Asked for, and not given up at boot: kernel/liveupdate/kexec_handover.c, kho_reserve_scratch.
    (cmdline !== undefined &&
      khoParameter(cmdline) === true &&
      findInKernelLog(/^KHO: .*disabling kexec handover/) === undefined)
  );
}

/** Warns where the running kernel hands over and the next one would not take it. */
export function warnOfLostHandover(cmdline: string, observer: Observer): void {
  if (khoParameter(cmdline) === true || !handsOver()) return;
  observer.warn?.(
    "the running kernel hands memory over (kho=on), and the next command line lacks kho=on: what was preserved is lost",
  );
}

/** Freezes what is handed over, on the kernels that want to be told before the load. */
export function finalizeHandover(observer: Observer): void {
  const state = readText(finalizePath, 16);
  if (!state.ok || state.text.trim() === "1") return;
  const result = writeWord(finalizePath, "1");
  if (result < 0) {
    observer.warn?.(
      `the kexec handover is not finalised: ${finalizePath}: ${errnoText(-result).toLowerCase()}`,
    );
  } else {
    observer.note?.("finalised the kexec handover");
  }
}

/**
 * Sessions of live update live in the descriptors of their agents, so nothing is stopped here.
 * Opening the device would change its state; it is only looked for.
 */
export function tellOfLiveUpdate(throughSystemd: boolean, observer: Observer): void {
  if (!exists(orchestrator)) return;
  if (throughSystemd) {
    observer.warn?.(
      `live update is on (${orchestrator}): systemd stops the agents, and their sessions are lost unless it keeps them; --force stops nothing`,
    );
  } else {
    observer.note?.(`live update is on (${orchestrator}): its agents are left running`);
  }
}
