/**
 * One line in the kernel log for each load and each handover; journald takes it from there. Where there
 * is no /dev/kmsg, or no right to it, the work goes on without.
 */
import { logToKernel } from "../linux/kmsg.ts";
import { visible } from "../visible.ts";
import type { LoadReport } from "./report.ts";

export function traceLoad(report: LoadReport): void {
  const what = report.target === "crash" ? "crash kernel loaded" : "loaded";
  logToKernel(`${what}: ${traceText(report)}`);
}

/** @param report undefined where what is loaded was loaded by somebody else */
export function traceHandover(report: LoadReport | undefined): void {
  logToKernel(`handing over to ${report === undefined ? "what is loaded" : traceText(report)}`);
}

/** What, which generation, who signed it, which release, and its command line, in one line. */
export function traceText({ kernel, generation, trust, cmdline }: LoadReport): string {
  const parts = [kernel.path];
  if (kernel.release !== null) parts.push(`release ${kernel.release}`);
  if (generation !== null) parts.push(`generation ${generation}`);
  for (const { key, fingerprint } of trust?.signers ?? []) {
    parts.push(`signed by ${fingerprint} (${key})`);
  }
  return visible(`${parts.join(", ")}, command line: ${cmdline}`);
}
