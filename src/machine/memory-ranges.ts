/** The memory that firmware says may be used: what the next kernel will find. */
import { readText } from "../linux/descriptor.ts";
import { readRunningCmdline } from "./kernel.ts";
import { valueIn } from "./reading.ts";

/** [start, end). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Entries of firmware's map; large machines have some hundred. */
const mostRanges = 2000;

/**
 * By the map that this kernel was given (Documentation/ABI/testing/sysfs-firmware-memmap, x86), else by
 * /proc/iomem, whose addresses only root sees. Undefined where neither tells.
 */
export function readMemoryRanges(): readonly Range[] | undefined {
  const ranges: Range[] = [];
  for (let number = 0; number < mostRanges; number++) {
    const folder = `/sys/firmware/memmap/${number}`;
    const type = readText(`${folder}/type`, 64);
    if (!type.ok) break;
    if (type.text.trim() !== "System RAM") continue;
    const [start, end] = [readText(`${folder}/start`, 32), readText(`${folder}/end`, 32)];
    if (!start.ok || !end.ok) return undefined;
    ranges.push({ start: Number(start.text), end: Number(end.text) + 1 });
  }
  if (ranges.length > 0) return sane(ranges);
  // What this kernel was told to leave alone is missing there, and the next one is told of it all the same.
  if (/\bmem(map)?=/.test(valueIn(readRunningCmdline()) ?? "mem=")) return undefined;
  const iomem = readText("/proc/iomem", 1 << 20);
  return iomem.ok ? sane(rangesIn(iomem.text)) : undefined;
}

/** Lines `start-end : System RAM`, those of the outermost level. */
export function rangesIn(iomem: string): readonly Range[] {
  return [...iomem.matchAll(/^([0-9a-f]{1,16})-([0-9a-f]{1,16}) : System RAM$/gm)].map(
    ([, start = "", end = ""]) => ({
      start: Number.parseInt(start, 16),
      end: Number.parseInt(end, 16) + 1,
    }),
  );
}

/** Without rights each range is 0-0. */
function sane(ranges: readonly Range[]): readonly Range[] | undefined {
  const ok = ranges.every(({ start, end }) => Number.isSafeInteger(end) && end > start);
  const total = ranges.reduce((sum, { start, end }) => sum + end - start, 0);
  return ok && total > 1 << 20 ? ranges : undefined;
}
