/** The handover: reboot(LINUX_REBOOT_CMD_KEXEC), and only into what is loaded. */

import { diagnoseExec, handingOver } from "../diagnosis/diagnose.ts";
import { noKexec, nothingLoaded } from "../diagnosis/kernel-state.ts";
import { capabilityCause, pidNamespaceCause } from "../diagnosis/permission.ts";
import { cannot } from "../errors.ts";
import { requireWatchdog } from "../linux/device/watchdog.ts";
import { type InitName, initOf, runBySystemd } from "../linux/init-system.ts";
import { KernelLog } from "../linux/kmsg.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import { exists } from "../linux/path.ts";
import { rebootKexec } from "../linux/reboot.ts";
import { readKexecState, readPrivilege } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { AttemptLog } from "./attempt-log.ts";
import { readEvidence } from "./evidence.ts";
import { makeFileSystemsReadOnly } from "./helper/read-only.ts";
import { orElse } from "./leave/on-failure.ts";
import { type QuiescePlan, quiesce, readQuiescePlan } from "./leave/quiesce.ts";
import { handOverBySystemd } from "./leave/systemd.ts";
import { armWatchdog, predictWatchdog } from "./leave/watchdog.ts";
import { Loaded } from "./load.ts";
import { interruptionFor } from "./on-demand.ts";
import { parseQuiesceWord } from "./option-values.ts";
import type { LoadReport, Observer } from "./report.ts";
import {
  type ExecRequest,
  type LoadRequest,
  type ParsedExecRequest,
  parseBootRequest,
  parseExecRequest,
} from "./request.ts";
import { Interruption } from "./stages/interruption.ts";
import { reportLiveUpdate } from "./stages/kexec-handover.ts";
import { traceHandover } from "./trace.ts";

/**
 * Hands over to the loaded kernel. It does not return; it throws when the jump was refused.
 * @throws KexecError `nothing-loaded`, `no-capability`, `pid-namespace`, `busy`, `not-permitted`,
 *   `no-kexec-file`, `io-error`, `usage`
 */
export async function exec(request: ExecRequest = {}, observer: Observer = {}): Promise<never> {
  libc();
  const parsed = parseExecRequest(request);
  return orElse(parsed.onFailure, observer, async () => {
    const log = await AttemptLog.begin(parsed.log, "exec", parsed, observer);
    using signals = new DisposableStack();
    return await log.orFailure(async () => {
      requireLoaded();
      const way = prepare(parsed, false);
      return leave(parsed, way, undefined, log, log.observer, holdSignals(way, signals));
    });
  });
}

/**
 * Loads and hands over. A dry run returns what would have been loaded; anything else does not
 * return. The jump is made only after this very load succeeded.
 * @throws KexecError with any code
 */
export async function loadAndExec(
  request: LoadRequest & ExecRequest,
  observer: Observer = {},
): Promise<LoadReport> {
  requireLinux();
  const parsed = parseBootRequest(request);
  if (parsed.load.crash) {
    throw cannot("hand over to a crash kernel", {
      code: "usage",
      why: "only a panic jumps to it",
      hint: "use load --crash",
    });
  }
  // A dry run fails for its caller only: it must not end the machine.
  const action = parsed.load.dryRun ? "return" : parsed.exec.onFailure;
  return orElse(action, observer, async () => {
    const log = await AttemptLog.begin(
      parsed.load.log,
      "boot",
      { ...parsed.load, ...parsed.exec },
      observer,
    );
    if (parsed.load.dryRun) {
      using interruption = await interruptionFor(parsed.load.secrets);
      const { watchdog } = parsed.exec;
      const { report } = await log.orFailure(() => {
        if (watchdog !== undefined) predictWatchdog(watchdog, log.observer);
        return Loaded.from(parsed.load, log.observer, interruption);
      });
      await log.writeLoaded(report);
      return report;
    }
    // Raised again only when the failure is in the log and no secret is loaded any more.
    using signals = new DisposableStack();
    return await log.orFailure(async () => {
      const way = prepare(parsed.exec, true);
      // From before a secret is read: between the load and the jump there is no moment without it.
      const held = await interruptionFor(parsed.load.secrets);
      if (held !== undefined) signals.use(held);
      using loaded = await Loaded.from(parsed.load, log.observer, held);
      if (way.throughSystemd) {
        await held?.check();
        signals.dispose();
      }
      const interruption = way.throughSystemd ? undefined : (held ?? holdSignals(way, signals));
      return await leave(parsed.exec, way, loaded.report, log, log.observer, interruption);
    });
  });
}

/** How this machine is left. */
interface Way {
  readonly throughSystemd: boolean;
  /** Another init that runs a full system, whose services are to be stopped. */
  readonly init: InitName | undefined;
  readonly plan: QuiescePlan;
}

/**
 * What can be refused before a load is spent on it.
 * @param loading a load comes first, which asks for the capability itself
 * @throws KexecError `pid-namespace`, `no-capability`, `usage`, `io-error`
 */
function prepare(request: ParsedExecRequest, loading: boolean): Way {
  const throughSystemd = !request.force && runBySystemd();
  // systemd has rules of its own on who may ask it.
  requireRights(!loading && !throughSystemd);
  if (throughSystemd && request.quiesce.length > 0) {
    throw cannot("detach drivers on a system that systemd runs", {
      code: "usage",
      why: "its services still use them",
      hint: "stop what uses them, and add --force",
    });
  }
  // systemd itself would go on without one.
  if (request.watchdog !== undefined) requireWatchdog(request.watchdog);
  const words = request.quiesce.flatMap((word) => parseQuiesceWord(word) ?? []);
  const init = request.force ? undefined : initOf();
  return { throughSystemd, init, plan: readQuiescePlan(words) };
}

/**
 * From here to the jump a signal must not leave file systems read-only, the watchdog running or a
 * secret loaded. Where systemd hands over it stops this process on the way, and what is loaded stays.
 */
function holdSignals(way: Way, signals: DisposableStack): Interruption | undefined {
  return way.throughSystemd ? undefined : signals.use(Interruption.start());
}

/** All that comes before the jump, in the order in which each needs what the next takes away. */
async function leave(
  request: ParsedExecRequest,
  { throughSystemd, init, plan }: Way,
  report: LoadReport | undefined,
  log: AttemptLog,
  observer: Observer,
  interruption: Interruption | undefined,
): Promise<never> {
  await reportLiveUpdate(throughSystemd, observer);
  await log.write({ outcome: "handing-over", result: report ?? null });
  if (throughSystemd) {
    if (!request.sync) observer.warn?.("--no-sync has no effect: systemd unmounts everything");
    observer.progress?.("handing over", 0, 0, "handover");
    observer.handover?.(report);
    traceHandover(report);
    return handOverBySystemd(request.watchdog, observer);
  }

  observer.progress?.("stopping services and flushing file systems", 0, 0, "flush");
  using _stopped = init === undefined ? undefined : await stopBefore(init, observer);
  await interruption?.check();
  // Undone, like the watchdog, when the jump fails: somebody may go on working here.
  using _readOnly = request.sync
    ? await makeFileSystemsReadOnly(observer, interruption?.came)
    : undefined;
  using watchdog =
    request.watchdog === undefined ? undefined : armWatchdog(request.watchdog, observer);
  await interruption?.check();
  observer.progress?.("handing over", 0, 0, "handover");
  observer.handover?.(report);
  traceHandover(report);
  await interruption?.check();
  quiesce(plan, observer);
  watchdog?.keepAlive();
  return jump();
}

async function stopBefore(init: InitName, observer: Observer): Promise<Disposable> {
  const { stopOthers } = await import("./leave/other-inits.ts");
  return stopOthers(init, observer);
}

/** Before file systems are touched. Where /sys is missing only the jump itself tells. */
function requireLoaded(): void {
  const { loaded } = readKexecState();
  if (valueIn(loaded) === false) throw cannot(handingOver, nothingLoaded);
  // kernel/ksysfs.c: the folder is there with /sys, what tells of kexec only with CONFIG_KEXEC_CORE.
  if (!loaded.known && exists("/sys/kernel")) throw cannot(handingOver, noKexec);
}

/** What reboot(2) would refuse is refused before anything is done for it. */
function requireRights(withCapability: boolean): void {
  const privilege = readPrivilege();
  const cause =
    pidNamespaceCause(privilege) ?? (withCapability ? capabilityCause(privilege) : undefined);
  if (cause !== undefined) throw cannot(handingOver, cause);
}

function jump(): never {
  using log = KernelLog.fromNow();
  const result = rebootKexec();
  throw diagnoseExec(-result, readEvidence(libc().architecture), log.lines());
}
