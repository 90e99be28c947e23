/** `--watchdog`: a next kernel that hangs ends in a firmware reboot. */
import {
  readWatchdogFacts,
  requireWatchdog,
  Watchdog,
  type WatchdogFacts,
} from "../../linux/device/watchdog.ts";
import type { Observer } from "../report.ts";

/** Arms it, and says what it will and will not do. @throws KexecError of `Watchdog.arm` */
export function armWatchdog(seconds: number, observer: Observer): Watchdog {
  const watchdog = Watchdog.arm(seconds);
  const { identity, timeout } = watchdog;
  const named = identity === "" ? "" : ` (${identity})`;
  if (timeout === 0) {
    observer.warn?.(`the watchdog is armed${named}, but does not say with how many seconds`);
  } else if (timeout !== seconds) {
    observer.warn?.(`the watchdog is armed with ${timeout} s${named}, not with ${seconds} s`);
  } else {
    observer.note?.(`the watchdog is armed with ${timeout} s${named}`);
  }
  warnOfRestart(watchdog.facts, observer);
  return watchdog;
}

/** What arming it would come to, without touching it. @throws KexecError of `requireWatchdog` */
export function predictWatchdog(seconds: number, observer: Observer): void {
  requireWatchdog(seconds);
  warnOfRestart(readWatchdogFacts(), observer);
}

/** Says where the watchdog will not guard the next kernel. */
export function warnOfRestart(facts: WatchdogFacts, observer: Observer): void {
  const driver = facts.driver === undefined ? "its driver" : `its driver ${facts.driver}`;
  if (facts.acrossRestart === "stops") {
    observer.warn?.(
      `the watchdog will not guard the next kernel: ${driver} stops it at the handover, unless the running kernel was booted with watchdog.stop_on_reboot=0`,
    );
  } else if (facts.acrossRestart === "unknown") {
    observer.warn?.(
      `the watchdog may not guard the next kernel: many drivers stop it at the handover, and ${driver} does not say; watchdog.stop_on_reboot=0 on the running kernel's command line settles it`,
    );
  }
}
