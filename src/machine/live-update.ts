/**
 * Kexec handover and the live update orchestrator: kernel/liveupdate/, and before Linux 6.19
 * kernel/kexec_handover.c. /dev/liveupdate is never opened: that alone would change its state.
 */

import { EACCES, ENOENT, EPERM } from "../errno.ts";
import { parameterValues } from "../kernel-words.ts";
import { loggedSinceBoot } from "../linux/kmsg.ts";
import { statusOfPath } from "../linux/path.ts";
import type { BuildFacts } from "./build-facts.ts";
import { readRunningCmdline } from "./kernel.ts";
import { khoParameter } from "./kho.ts";
import { readFact } from "./read-fact.ts";
import { known, parseBoolean, type Reading, unknown, valueIn } from "./reading.ts";

export interface LiveUpdate {
  /** The running kernel hands preserved memory over to the next one. */
  readonly handover: Reading<boolean>;
  /**
   * Linux 6.16 to 6.18 hand over only once `finalize` holds 1, before the load; null where the
   * kernel has no such step.
   */
  readonly finalized: Reading<boolean | null>;
  /** /dev/liveupdate is there: agents can keep sessions over the handover. */
  readonly orchestrator: Reading<boolean>;
  /** Bytes of the largest scratch area, one of which every file of a load must fit in; null where handover is off. */
  readonly scratch: Reading<number | null>;
}

const debugfs = "/sys/kernel/debug";
const finalizePath = `${debugfs}/kho/out/finalize`;
const scratchPath = `${debugfs}/kho/out/scratch_len`;

export function readLiveUpdate(build: BuildFacts): LiveUpdate {
  const orchestrator = readExistence("/dev/liveupdate");
  const cmdline = readRunningCmdline();
  const debug = readExistence(`${debugfs}/kho`);
  const handover = judgeHandover({
    debugEntry: debug.known && debug.value,
    orchestrator: orchestrator.known && orchestrator.value,
    built: build.kexecHandover,
    byDefault: build.kexecHandoverDefault,
    cmdline,
    log: readLog(),
  });
  return {
    handover,
    finalized: readFinalized(handover),
    orchestrator,
    scratch: readScratch(handover, valueIn(cmdline) ?? ""),
  };
}

/** By the kernel's own list, else by the word that sets the sizes; without either it chose them itself. */
function readScratch(handover: Reading<boolean>, cmdline: string): Reading<number | null> {
  if (handover.known && !handover.value) return known(null);
  const absent = "debugfs is not mounted at /sys/kernel/debug, and kho_scratch= gives no sizes";
  const listed = readFact([scratchPath], scratchList, absent);
  if (listed.known) return listed;
  const given = scratchParameter(cmdline);
  return given === undefined ? listed : known(given);
}

/** The largest of a list of sizes, a line each: scratch_len_show, kernel/liveupdate/kexec_handover_debugfs.c. */
export function scratchList(text: string): number | undefined {
  const sizes = text
    .split(/\s+/)
    .map((word) => (/^0x[0-9a-f]{1,13}$/.test(word) ? Number(word) : NaN));
  const largest = Math.max(...sizes);
  return Number.isSafeInteger(largest) ? largest : undefined;
}

export interface HandoverEvidence {
  /** debugfs has a `kho` folder, which is there only while handover is on. */
  readonly debugEntry: boolean;
  /** /dev/liveupdate exists, which takes handover. */
  readonly orchestrator: boolean;
  readonly built: Reading<boolean>;
  readonly byDefault: Reading<boolean>;
  readonly cmdline: Reading<string>;
  /** What the boot log says: that it failed, or, all of it being there, that it did not. */
  readonly log: "failed" | "silent" | undefined;
}

/**
 * Whether handover is on. That it was asked for is not enough: the kernel switches it off where it
 * finds no memory for its scratch area.
 */
export function judgeHandover(evidence: HandoverEvidence): Reading<boolean> {
  const { debugEntry, orchestrator, built, byDefault, cmdline, log } = evidence;
  if (debugEntry || orchestrator) return known(true);
  if (built.known && !built.value) return known(false);
  if (!cmdline.known) return cmdline;
  const asked = khoParameter(cmdline.value);
  if (asked === false) return known(false);
  if (asked === undefined && !byDefault.known) return byDefault;
  if (asked === undefined && valueIn(byDefault) === false) return known(false);
  if (!built.known) return built;
  if (log !== undefined) return known(log === "silent");
  return unknown("it was asked for, and the boot log that would tell of a failure cannot be read");
}

/** kho_reserve_scratch and kho_init: "KHO: Failed to reserve scratch area, disabling ...". */
function readLog(): HandoverEvidence["log"] {
  const failed = loggedSinceBoot(/^KHO: .*(failed|disabl)/i);
  if (failed === undefined) return undefined;
  return failed ? "failed" : "silent";
}

/**
 * The largest of the sizes in `kho_scratch=low,global,node`; undefined for a percentage, and where
 * it is not there (kho_parse_scratch_size; numbers by the rules of memparse, lib/cmdline.c).
 */
export function scratchParameter(cmdline: string): number | undefined {
  const value = parameterValues(cmdline, "kho_scratch").at(-1);
  const sizes = /^(\d{1,12})([KMG]?),(\d{1,12})([KMG]?),(\d{1,12})([KMG]?)$/i.exec(value ?? "");
  if (sizes === null) return undefined;
  const bytes = (at: number) =>
    Number(sizes[at]) * 1024 ** " KMG".indexOf((sizes[at + 1] || " ").toUpperCase());
  return Math.max(bytes(1), bytes(3), bytes(5));
}

function readFinalized(handover: Reading<boolean>): Reading<boolean | null> {
  if (handover.known && !handover.value) return known(null);
  const mounted = readExistence(`${debugfs}/kho`);
  if (!mounted.known) return mounted;
  if (!mounted.value) {
    return handover.known ? unknown("debugfs is not mounted at /sys/kernel/debug") : handover;
  }
  const step = readExistence(finalizePath);
  if (!step.known) return step;
  return step.value ? readFact([finalizePath], parseBoolean, "") : known(null);
}

function readExistence(path: string): Reading<boolean> {
  const status = statusOfPath(path);
  if (typeof status !== "number") return known(true);
  if (status === -ENOENT) return known(false);
  return status === -EACCES || status === -EPERM
    ? unknown(`no permission to look for ${path}`)
    : unknown(`${path} cannot be examined`);
}
