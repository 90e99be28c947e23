/** How long each job took when it last passed here: kept in the cache, for order and forecast. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root } from "./jobs.ts";
import usual from "./usual-times.json";

const path = join(root, ".cache", "times.json");

/** Seconds by job: as measured here, and before that as on another machine of two cores. */
export function readTimes(): Record<string, number> {
  return { ...usual, ...measuredTimes() };
}

/** A file that cannot be read counts as none. */
function measuredTimes(): Record<string, number> {
  if (!existsSync(path)) return {};
  try {
    const times: unknown = JSON.parse(readFileSync(path, "utf8"));
    if (typeof times !== "object" || times === null) return {};
    return Object.fromEntries(
      Object.entries(times).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
    );
  } catch {
    return {};
  }
}

export function keepTime(job: string, seconds: number): void {
  mkdirSync(dirname(path), { recursive: true });
  const text = JSON.stringify({ ...measuredTimes(), [job]: Math.round(seconds) }, undefined, 2);
  writeFileSync(`${path}.new`, `${text}\n`);
  renameSync(`${path}.new`, path);
}

/** `45 s`, `3 min 20 s`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 90 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}
