/** The handover on a full system: systemd stops the services, unmounts, and jumps. */
import { cannot } from "../../errors.ts";
import { readWatchdogFacts } from "../../linux/device/watchdog.ts";
import { systemCommand } from "../../linux/init-system.ts";
import type { Observer } from "../report.ts";
import { warnOfRestart } from "./watchdog.ts";

/** Minutes to wait: kexec.target itself gives up after 30 (units/kexec.target, JobTimeoutSec). */
const waitMinutes = 35;

/**
 * Asks systemd to hand over to the loaded kernel, and waits to be stopped with all the rest.
 * @throws KexecError `io-error` when systemd refuses, or nothing comes of it
 */
export async function handOverBySystemd(
  watchdogSeconds: number | undefined,
  observer: Observer,
): Promise<never> {
  if (watchdogSeconds !== undefined) await armBySystemd(watchdogSeconds, observer);
  const failed = await systemCommand("systemctl", ["--no-ask-password", "kexec"]);
  if (failed !== undefined) {
    throw cannot("hand over through systemd", {
      code: "io-error",
      why: failed,
      hint: "--force hands over without systemd",
    });
  }
  observer.note?.("systemd stops the services now, and then hands over");
  for (let seconds = 0; seconds < waitMinutes * 60; seconds++) await Bun.sleep(1000);
  throw cannot("hand over through systemd", {
    code: "io-error",
    why: `it has not done so in ${waitMinutes} minutes`,
    hint: "systemctl list-jobs shows what it waits for; --force hands over without systemd",
  });
}

/** systemd pings the watchdog while services stop, and leaves it running when it jumps. */
async function armBySystemd(seconds: number, observer: Observer): Promise<void> {
  // KExecWatchdogSec= of systemd-system.conf(5), from 245 on; microseconds on the bus.
  const failed = await systemCommand("busctl", [
    "set-property",
    "org.freedesktop.systemd1",
    "/org/freedesktop/systemd1",
    "org.freedesktop.systemd1.Manager",
    "KExecWatchdogUSec",
    "t",
    String(seconds * 1_000_000),
  ]);
  if (failed !== undefined) {
    throw cannot("have systemd arm the watchdog", {
      code: "io-error",
      why: failed,
      hint: "set KExecWatchdogSec= in /etc/systemd/system.conf, or do without --watchdog",
    });
  }
  observer.note?.(`systemd arms the watchdog with ${seconds} s when it hands over`);
  warnOfRestart(readWatchdogFacts(), observer);
}
