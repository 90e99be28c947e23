/** The memory that the next kernel will have, by what this machine has and by the words it gets. Pure. */
import type { Architecture } from "../architecture.ts";
import { kernelWords, parameterValues } from "../kernel-words.ts";
import type { Range } from "../machine/memory-ranges.ts";

export interface NextMemory {
  /** Bytes that it has at most: what it is told to leave alone is not among them. */
  readonly most: number;
  /** Bytes without what it puts aside at boot, as its words say. */
  readonly likely: number;
  /** The words that take of it, as they stand. */
  readonly words: readonly string[];
}

/** memparse, lib/cmdline.c; undefined where it begins with no number. */
export function sizeIn(text: string): number | undefined {
  const [, digits = "", unit = ""] = /^(0x[0-9a-f]{1,12}|\d{1,15})([kmgtpe]?)/i.exec(text) ?? [];
  if (digits === "") return undefined;
  const size = Number(digits) * 1024 ** " kmgtpe".indexOf(unit.toLowerCase() || " ");
  return Number.isSafeInteger(size) ? size : undefined;
}

/** @param reserved Bytes that `crashkernel=` reserves: then the next kernel is the crash kernel, and has no more. */
export function nextMemory(
  ranges: readonly Range[],
  cmdline: string,
  architecture: Architecture,
  reserved: number | undefined,
): NextMemory {
  const limits = parameterValues(cmdline, "mem").flatMap((value) => sizeIn(value) ?? []);
  const limit = limits.length === 0 ? undefined : Math.min(...limits);
  const kept = limit === undefined ? ranges : below(ranges, limit, architecture);
  const all = reserved ?? total(kept);
  const most = limit === undefined ? all : Math.min(all, limit);
  const crash = reserved === undefined ? crashkernelSize(cmdline, most) : 0;
  const aside = crash + hugeSize(cmdline) + scratchSize(cmdline);
  const words = kernelWords(cmdline).words.filter((word) =>
    /^(mem|crashkernel|hugepages|kho_scratch)=/.test(word),
  );
  return { most, likely: Math.max(0, most - aside), words };
}

/** x86 forgets what lies above the address (parse_memopt, e820.c), arm64 what is more than so much (early_mem). */
function below(
  ranges: readonly Range[],
  limit: number,
  architecture: Architecture,
): readonly Range[] {
  if (architecture !== "x86_64") return ranges;
  return ranges
    .filter(({ start }) => start < limit)
    .map(({ start, end }) => ({ start, end: Math.min(end, limit) }));
}

function total(ranges: readonly Range[]): number {
  return ranges.reduce((sum, { start, end }) => sum + Math.max(0, end - start), 0);
}

/**
 * What `crashkernel=` puts aside: `SIZE[@OFFSET]`, or by ranges of the memory that there is. Of `,high` and `,low`
 * each counts, of `,cma` none (Documentation/admin-guide/kernel-parameters.txt, kernel/crash_reserve.c).
 */
export function crashkernelSize(cmdline: string, memory: number): number {
  let [plain, high, low] = [0, 0, 0];
  for (const value of parameterValues(cmdline, "crashkernel")) {
    const size = value.includes(":") ? rangedSize(value, memory) : (sizeIn(value) ?? 0);
    if (value.endsWith(",cma")) continue;
    if (value.endsWith(",high")) high = size;
    else if (value.endsWith(",low")) low = size;
    else plain = size;
  }
  return plain > 0 ? plain : high + low;
}

function rangedSize(value: string, memory: number): number {
  for (const part of (value.split("@", 1)[0] ?? "").split(",")) {
    const [range = "", size = ""] = part.split(":", 2);
    const [from = "", to = ""] = range.split("-", 2);
    const [begin, end] = [sizeIn(from), to === "" ? Number.POSITIVE_INFINITY : sizeIn(to)];
    if (begin === undefined || end === undefined) return 0;
    if (memory >= begin && memory < end) return sizeIn(size) ?? 0;
  }
  return 0;
}

/**
 * `kho_scratch=low,global,node`: no pages of a ramfs go there, since they cannot be moved (fs/ramfs/inode.c; Kexec
 * HandOver keeps what cannot be out of its scratch areas).
 */
function scratchSize(cmdline: string): number {
  const value = parameterValues(cmdline, "kho_scratch").at(-1) ?? "";
  const on = parameterValues(cmdline, "kho").some((word) => /^(on|[yt1])/i.test(word));
  if (!on || value.includes("%")) return 0;
  return value.split(",").reduce((sum, part) => sum + (sizeIn(part) ?? 0), 0);
}

/** Pages of `hugepages=`, each of the size that the `hugepagesz=` before it names: mm/hugetlb.c. */
function hugeSize(cmdline: string): number {
  let size = 2 << 20;
  let sum = 0;
  for (const word of kernelWords(cmdline).words) {
    const [name, value = ""] = word.split("=", 2);
    if (name === "default_hugepagesz" || name === "hugepagesz") size = sizeIn(value) ?? size;
    if (name !== "hugepages") continue;
    const counts = value.split(",").map((part) => Number(part.slice(part.indexOf(":") + 1)));
    const pages = counts.reduce((all, count) => all + count, 0);
    if (Number.isSafeInteger(pages * size)) sum += pages * size;
  }
  return sum;
}
