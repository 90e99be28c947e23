/** Kexec HandOver and live update, as far as a load and a handover have to do with them. */

import { ENOENT, errnoText } from "../../errno.ts";
import { isSince } from "../../kernel-release.ts";
import { readText, writeWord } from "../../linux/descriptor.ts";
import { exists } from "../../linux/path.ts";
import { meminfoField, readIdentity, readRunningCmdline } from "../../machine/kernel.ts";
import { khoParameter } from "../../machine/kho.ts";
import { valueIn } from "../../machine/reading.ts";
import type { Observer } from "../report.ts";
import type { Verified } from "./verify.ts";

const debugFolder = "/sys/kernel/debug/kho";
const orchestrator = "/dev/liveupdate";

/** Whether the running kernel hands memory over, as far as can be told at little cost. */
export function handsOver(): boolean | Promise<boolean> {
  if (exists(debugFolder) || exists(orchestrator)) return true;
  if (!mayHandOver(readIdentity().release)) return false;
  const asked = khoParameter(valueIn(readRunningCmdline()) ?? "");
  if (asked === false) return false;
  if (hasScratch()) return true;
  // Asked for; whether it is built in and was not given up at boot takes a longer look.
  return asked === true && isBuiltIn();
}

async function isBuiltIn(): Promise<boolean> {
  const { readBuildFacts } = await import("../../machine/build-facts.ts");
  const { readLiveUpdate } = await import("../../machine/live-update.ts");
  return valueIn(readLiveUpdate(readBuildFacts(readIdentity().release)).handover) !== false;
}

/**
 * Pages of the scratch areas are free pages of CMA that its total does not count: init_cma_reserved_pageblock,
 * mm/mm_init.c. So one sees handover that is on by default (CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT).
 */
export function scratchIn(meminfo: string): boolean {
  const total = valueIn(meminfoField(meminfo, "CmaTotal"));
  const free = valueIn(meminfoField(meminfo, "CmaFree"));
  return total !== undefined && free !== undefined && free > total;
}

function hasScratch(): boolean {
  const file = readText("/proc/meminfo");
  return file.ok && scratchIn(file.text);
}

/** Where the running kernel hands over: warns where the next one would not take it. */
export async function warnOfLostHandover(
  { cmdline, image }: Pick<Verified, "cmdline" | "image">,
  observer: Observer,
): Promise<void> {
  const asked = khoParameter(cmdline);
  if (asked === true) return;
  const { lostHandover } = await import("../../diagnosis/lost-handover.ts");
  const { configBeside, kernelConfig } = await import("../../source/build/config.ts");
  const { kernel, file } = image;
  // A default counts only where the command line is silent: then it is worth a longer look.
  const config =
    asked === false
      ? configBeside(kernel, file.canonicalPath)
      : await kernelConfig(kernel, file, file.canonicalPath);
  const lost = lostHandover(asked, config);
  if (lost !== undefined) observer.warn?.(lost);
}

/** Linux 6.16 is the first that hands memory over: kernel/kexec_handover.c. */
const mayHandOver = (release: string) => isSince(release, 6, 16);

/** Linux 6.16 to 6.18 hand over what was finalized: kernel/kexec_handover.c, kho_out_finalize_set. */
export function wantsFinalizing(release: string): boolean {
  return release.startsWith("6.1") && /^6\.1[678](\D|$)/.test(release);
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

/** Looks only for the device: opening it would change its state. */
export async function reportLiveUpdate(throughSystemd: boolean, observer: Observer): Promise<void> {
  if (!exists(orchestrator)) return;
  const { liveUpdateReport } = await import("../leave/live-update.ts");
  liveUpdateReport(throughSystemd, observer);
}
