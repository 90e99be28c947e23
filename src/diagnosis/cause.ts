/** Helpers that every family of causes uses: searching the kernel log, and sizes in words. Pure. */
import type { Memory } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";

export function logged(kernelLog: readonly string[], pattern: RegExp): boolean {
  return kernelLog.some((line) => pattern.test(line));
}

export function availableText(memory: Memory): string {
  const available = valueIn(memory.available);
  return available === undefined ? "" : ` (${mebibytes(available)} available)`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 1048576).toFixed(1)} MiB`;
}
