/** What a cause is, and what every family of causes needs. */
import type { ErrorCode } from "../errors.ts";
import type { Memory } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";

export interface Cause {
  readonly code: ErrorCode;
  /** What stands behind "cannot ...: ". */
  readonly why: string;
  /** What to do; where the evidence does not decide, the candidates and how to tell them apart. */
  readonly hint?: string;
}

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
