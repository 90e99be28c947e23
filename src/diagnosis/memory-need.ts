/** Tells before the work whether there is memory enough for a load. Pure. */
import { type Cause, cannot } from "../errors.ts";
import type { Memory } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { mebibytes } from "./cause.ts";

export interface MemoryNeed {
  /** Bytes of the kernel image and of the whole initramfs. */
  readonly kernel: number;
  readonly initrd: number;
  /** Bytes that this process copies into memory of its own first. */
  readonly copied: number;
}

/** Words that take memory away from the next kernel: see `nextMemory`. */
const takingWords = ["mem=", "hugepages="];

/**
 * Whether it is worth a closer look whether the next kernel can unpack its initramfs.
 * @param unpacked Bytes that it unpacks to, roughly.
 * @param crash It goes to the memory that is reserved for a crash kernel, which is never large.
 */
export function mayNotUnpack(
  { initrd, unpacked }: { readonly initrd: number; readonly unpacked: number },
  cmdline: string,
  crash: boolean,
  memory: Memory,
): boolean {
  if (initrd === 0) return false;
  if (crash || initrd + unpacked > (valueIn(memory.total) ?? 0) / 3) return true;
  for (const word of takingWords) if (cmdline.includes(word)) return true;
  return false;
}

/** KEXEC_FILE_SIZE_MAX, kernel/kexec_file.c; older kernels stop at INT_MAX, which they tell themselves. */
const largestTaken = 2 ** 32;

/** A larger file is refused with EFBIG, whatever memory there is. */
export function takenCause(size: number): Cause | undefined {
  if (size <= largestTaken) return undefined;
  return {
    code: "file-too-large",
    details: { size, limit: largestTaken },
    why: `it has ${mebibytes(size)}, and the kernel takes files of at most ${mebibytes(largestTaken)}`,
    hint: "no kernel or initramfs is that large: it is damaged, or sparse",
  };
}

function requireTaken(size: number, what: string): void {
  const cause = takenCause(size);
  if (cause !== undefined) throw cannot(`load the ${what}`, cause);
}

/** No segment may be over half of all pages: sanity_check_segment_list, kernel/kexec_core.c. */
export function segmentCause(largest: number, memory: Memory): Cause | undefined {
  const total = valueIn(memory.total);
  if (total === undefined || largest <= total / 2) return undefined;
  return {
    code: "no-room",
    details: { size: largest, limit: Math.floor(total / 2) },
    why: `a file of ${mebibytes(largest)} is over half of this machine's memory (${mebibytes(total)})`,
    hint: "use a smaller initramfs",
  };
}

/**
 * The kernel reads both files into memory (kernel_read_file) and then copies them to their segments,
 * so each is there twice. Pages of the load are never swapped out; free swap helps as far as it can take
 * the pages of everybody else.
 * @returns what to say where it may just do: the kernel decides
 * @throws KexecError `file-too-large`, `no-room`, `out-of-memory`
 */
export function requireMemory(need: MemoryNeed, memory: Memory): string | undefined {
  requireTaken(need.kernel, "kernel");
  requireTaken(need.initrd, "initramfs");
  const tooLarge = segmentCause(Math.max(need.kernel, need.initrd), memory);
  if (tooLarge !== undefined) throw cannot("load", tooLarge);
  const available = valueIn(memory.available);
  const wanted = need.copied + 2 * (need.kernel + need.initrd);
  if (available === undefined || wanted <= available) return undefined;
  const swappable = Math.min(valueIn(memory.swapFree) ?? 0, valueIn(memory.swappable) ?? 0);
  const why = `it takes ${mebibytes(wanted)} of memory, and ${mebibytes(available)} are available`;
  if (wanted <= available + swappable) {
    return `${why}: ${mebibytes(swappable)} of other programs may have to go to the swap first`;
  }
  const copied = need.copied === 0 ? "" : ` and ${mebibytes(need.copied)} joined in memory`;
  throw cannot("load", {
    code: "out-of-memory",
    details: { size: wanted, available },
    why,
    hint: `kernel and initramfs (${mebibytes(need.kernel + need.initrd)}) are held twice${copied}: free memory, or use a smaller initramfs`,
  });
}
