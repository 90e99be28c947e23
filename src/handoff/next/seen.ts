/** What the next system would not get: what was preserved for it, and the eyes of who reads this program's messages. */
import { readLink } from "../../linux/path.ts";
import type { Observer } from "../report.ts";
import { handsOver, warnOfLostHandover } from "../stages/kexec-handover.ts";
import type { Verified } from "../stages/verify.ts";

/** A virtual terminal, or the console, which may be one: on a serial line or a network there is nothing to lose. */
const maybeScreen = /^\/dev\/(tty\d+|console)$/;

export async function warnOfNext(verified: Verified, observer: Observer): Promise<void> {
  if (await handsOver()) await warnOfLostHandover(verified, observer);
  const target = readLink("/proc/self/fd/2");
  if (typeof target !== "string" || !target.startsWith("/dev/")) return;
  if (!maybeScreen.test(target)) return;
  const { warnIfBlank } = await import("./screen.ts");
  await warnIfBlank(verified, observer);
}
