/** The processes of this machine: proc_pid_stat(5). */
import { readdirSync } from "node:fs";
import { readText } from "./descriptor.ts";
import { readLink } from "./path.ts";

export interface Process {
  readonly pid: number;
  readonly parent: number;
  /** `comm`, at most 15 bytes. */
  readonly name: string;
  /** A thread of the kernel, which has no memory of its own and takes no signals. */
  readonly ofKernel: boolean;
  /** It has ended, and its parent has not asked how. */
  readonly ended: boolean;
}

/** PF_KTHREAD, include/linux/sched.h. */
const kernelThread = 0x0020_0000;

/** All processes that /proc shows; none where it is not mounted. */
export function readProcesses(): readonly Process[] {
  let names: readonly string[];
  try {
    names = readdirSync("/proc");
  } catch {
    return [];
  }
  return names.flatMap((name) => {
    if (!/^\d{1,10}$/.test(name)) return [];
    const file = readText(`/proc/${name}/stat`, 4096);
    return (file.ok && parseStat(file.text)) || [];
  });
}

/** The name may have blanks and brackets: it ends at the last one. */
export function parseStat(text: string): Process | undefined {
  const [, pid = "", name = "", state, parent, rest = ""] =
    /^(\d{1,10}) \(([\s\S]*)\) (\S) (\d{1,10}) (.*)/.exec(text) ?? [];
  if (state === undefined) return undefined;
  // pgrp, session, tty_nr, tpgid, flags
  const flags = Number(rest.split(" ")[4] ?? 0);
  return {
    pid: Number(pid),
    parent: Number(parent),
    name,
    ofKernel: (flags & kernelThread) !== 0,
    ended: state === "Z" || state === "X",
  };
}

/** The program that a process runs; undefined where that cannot be told. */
export function programOf(pid: number): string | undefined {
  const path = readLink(`/proc/${pid}/exe`);
  return typeof path === "string" ? path : undefined;
}

/** Sends a signal; a process that is gone is no failure. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone, or not to be reached: who waits for it sees that.
  }
}
