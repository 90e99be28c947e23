/** Sessions of live update, and who keeps them over a handover: kernel/liveupdate/luo_session.c. */
import { readdirSync } from "node:fs";
import { readText } from "../../linux/descriptor.ts";
import { runBySystemd } from "../../linux/init-system.ts";
import { readLink } from "../../linux/path.ts";
import { readProcesses } from "../../linux/processes.ts";
import { known, type Reading, unknown } from "../../machine/reading.ts";
import type { Observer } from "../report.ts";

const device = "/dev/liveupdate";
/** The first systemd that keeps the descriptors in its stores, sessions among them: its NEWS, 261. */
const keepingSystemd = 261;

/** Who holds sessions open: the first process, and others by name. */
export interface SessionHolders {
  readonly first: boolean;
  readonly others: readonly string[];
}

/**
 * What becomes of the sessions; they live as long as somebody holds their descriptors.
 * @param systemd Version of the one that hands over; undefined: none does; null: not known.
 */
export function liveUpdateWords(
  systemd: number | null | undefined,
  { first, others }: SessionHolders,
): { readonly lost: boolean; readonly text: string } {
  const on = `live update is on (${device})`;
  if (systemd === undefined) return { lost: false, text: `${on}: its agents are left running` };
  const names = others.length === 0 ? "" : ` (held by ${others.join(", ")})`;
  if (systemd !== null && systemd >= keepingSystemd) {
    return others.length === 0
      ? {
          lost: false,
          text: `${on}: systemd ${systemd} keeps the sessions in the stores of units with FileDescriptorStorePreserve=yes${first ? "" : ", and there are none"}`,
        }
      : {
          lost: true,
          text: `${on}: systemd ${systemd} keeps the sessions that units have put into their stores (FileDescriptorStorePreserve=yes), and stops the agents: other sessions are lost${names}; --force stops nothing`,
        };
  }
  const unless = systemd === null ? " unless it is 261 or later and keeps them" : "";
  return {
    lost: true,
    text: `${on}: systemd stops the agents, and their sessions are lost${unless}${names}; --force stops nothing`,
  };
}

export function liveUpdateReport(throughSystemd: boolean, observer: Observer): void {
  const systemd = throughSystemd ? (runningSystemd() ?? null) : undefined;
  const holders = throughSystemd ? sessionHolders() : { first: false, others: [] };
  const { lost, text } = liveUpdateWords(systemd, holders);
  if (lost) observer.warn?.(text);
  else observer.note?.(text);
}

/**
 * Who keeps sessions over a handover of the whole system. `systemd`: from 261 on, those in the stores of units;
 * `nobody`: an older one, which stops the agents; `agents`: nobody stops them.
 */
export type SessionKeeper = "systemd" | "nobody" | "agents";

/** @param systemd As `liveUpdateWords` has it. */
export function sessionKeeper(systemd: number | undefined): SessionKeeper {
  if (systemd === undefined) return "agents";
  return systemd >= keepingSystemd ? "systemd" : "nobody";
}

/** Of this machine; null without live update. */
export function readSessionKeeper(orchestrator: Reading<boolean>): Reading<SessionKeeper | null> {
  if (!orchestrator.known) return orchestrator;
  if (!orchestrator.value) return known(null);
  if (!runBySystemd()) return known("agents");
  const systemd = runningSystemd();
  return systemd === undefined
    ? unknown("which systemd runs does not show in /proc/1/maps")
    : known(sessionKeeper(systemd));
}

/** The version of the systemd that runs, which may be older than the one that is installed. */
function runningSystemd(): number | undefined {
  const maps = readText("/proc/1/maps", 4 << 20);
  return maps.ok ? systemdIn(maps.text) : undefined;
}

/** By its own library: `libsystemd-core-261.so`, and with a distribution's suffix `-261.3-1.fc44.so`. */
export function systemdIn(maps: string): number | undefined {
  const found = /\/libsystemd-(?:core|shared)-(\d{3,4})(?:[.\-~][^/\s]*)?\.so/.exec(maps)?.[1];
  return found === undefined ? undefined : Number(found);
}

const mostNames = 8;

function sessionHolders(): SessionHolders {
  const holding = readProcesses().filter(({ pid, ofKernel }) => !ofKernel && holdsSession(pid));
  const others = holding.filter(({ pid }) => pid !== 1 && pid !== process.pid);
  return {
    first: holding.some(({ pid }) => pid === 1),
    others: [...new Set(others.map(({ name }) => name))].slice(0, mostNames),
  };
}

/** Descriptors of sessions are anonymous files that bear their names. */
function holdsSession(pid: number): boolean {
  const folder = `/proc/${pid}/fd`;
  let names: readonly string[];
  try {
    names = readdirSync(folder);
  } catch {
    return false;
  }
  return names.some((name) => {
    const target = readLink(`${folder}/${name}`);
    return typeof target === "string" && target.startsWith("anon_inode:[luo_session]");
  });
}
