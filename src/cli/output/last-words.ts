/** The last lines on a console: what is booted, from where, trusted by whom; or why it is not. */
import type { LoadReport } from "../../handoff/report.ts";
import { describeLoad } from "./describe.ts";

/** Before the jump. The report is that of `boot`; `exec` does not know what is loaded. */
export function lastWords(report: LoadReport | undefined): string[] {
  if (report === undefined) return ["handing over to the kernel that was loaded before"];
  const trusted =
    report.trust === null
      ? "no signature was asked for"
      : `signed by ${report.trust.signer.fingerprint}`;
  return [...describeLoad(report), `handing over to the new kernel: ${trusted}`];
}

/** What is done after a failure, by the action. */
export const failureWords: Readonly<Record<string, string>> = {
  reboot: "rebooting through firmware",
  poweroff: "switching off",
  shell: "starting a shell; exit ends it",
};
