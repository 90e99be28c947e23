/** The handover: reboot(LINUX_REBOOT_CMD_KEXEC), and only into what is loaded. */
import { KexecError } from "../errors.ts";
import { statusOfPath } from "../linux/file.ts";
import { runBySystemd } from "../linux/init-system.ts";
import { rebootKexec } from "../linux/kexec.ts";
import { KernelLog } from "../linux/kmsg.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import { readKexecState, readPrivilege } from "../linux/machine.ts";
import { valueIn } from "../linux/reading.ts";
import { AttemptLog } from "./attempt-log.ts";
import { diagnoseExec } from "./diagnose.ts";
import { readEvidence } from "./evidence.ts";
import { tellOfLiveUpdate } from "./kexec-handover.ts";
import { dropSecretBearer, Loaded } from "./load.ts";
import { orElse } from "./on-failure.ts";
import { capabilityProblem } from "./permission.ts";
import { quiesce, readQuiescePlan } from "./quiesce.ts";
import type { LoadReport, Observer } from "./report.ts";
import {
  type ExecRequest,
  type LoadRequest,
  type ParsedExecRequest,
  parseBootRequest,
  parseExecRequest,
} from "./request.ts";
import { settle } from "./settle.ts";
import { handOverBySystemd } from "./systemd.ts";
import { armWatchdog } from "./watchdog.ts";
import { parseQuiesceWord } from "./words.ts";

const handingOver = "hand over to the loaded kernel";

/**
 * Hands over to the loaded kernel. It does not return; it throws when the jump was refused.
 * @throws KexecError `nothing-loaded`, `no-capability`, `pid-namespace`, `busy`, `not-permitted`,
 *   `no-kexec-file`, `io-error`, `usage`
 */
export async function exec(request: ExecRequest = {}, observer: Observer = {}): Promise<never> {
  libc();
  const parsed = parseExecRequest(request);
  return orElse(parsed.onFailure, observer, async () => {
    const log = AttemptLog.begin(parsed.log, "exec", parsed);
    return log.orFailure(async () => {
      requireLoaded();
      return leave(parsed, undefined, log, observer);
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
    throw new KexecError("usage", {
      message: "cannot hand over to a crash kernel: only a panic jumps to it",
      hint: "use load --crash",
    });
  }
  // A dry run fails for its caller only: it must not end the machine.
  const action = parsed.load.dryRun ? "return" : parsed.exec.onFailure;
  return orElse(action, observer, async () => {
    const log = AttemptLog.begin(parsed.load.log, "boot", { ...parsed.load, ...parsed.exec });
    if (parsed.load.dryRun) {
      return log.recording(async () => (await Loaded.from(parsed.load, observer)).report);
    }
    return log.orFailure(async () => {
      const { report } = await Loaded.from(parsed.load, observer);
      try {
        return await leave(parsed.exec, report, log, observer);
      } catch (error) {
        if (parsed.load.secrets.length > 0) dropSecretBearer(false);
        throw error;
      }
    });
  });
}

/** All that comes before the jump, in the order in which each needs what the next takes away. */
async function leave(
  request: ParsedExecRequest,
  report: LoadReport | undefined,
  log: AttemptLog,
  observer: Observer,
): Promise<never> {
  const throughSystemd = !request.force && runBySystemd();
  requireRights(throughSystemd);
  if (throughSystemd && request.quiesce.length > 0) {
    throw new KexecError("usage", {
      message: "cannot detach drivers on a system that systemd runs: its services still use them",
      hint: "stop what uses them, and add --force",
    });
  }
  const words = request.quiesce.flatMap((word) => parseQuiesceWord(word) ?? []);
  const plan = readQuiescePlan(words);
  tellOfLiveUpdate(throughSystemd, observer);
  log.write({ outcome: "handing-over", result: report ?? null });
  if (throughSystemd) {
    observer.handover?.(report);
    return handOverBySystemd(request.watchdog, observer);
  }

  // Undone, like the watchdog, when the jump fails: somebody may go on working here.
  using _settled = request.sync ? await settle(observer) : undefined;
  using watchdog =
    request.watchdog === undefined ? undefined : armWatchdog(request.watchdog, observer);
  observer.handover?.(report);
  quiesce(plan, observer);
  watchdog?.keepAlive();
  return jump();
}

/** Where /sys is missing only the jump itself tells. */
function requireLoaded(): void {
  const { loaded } = readKexecState();
  if (valueIn(loaded) === false) {
    throw new KexecError("nothing-loaded", {
      message: `cannot ${handingOver}: no kernel is loaded`,
      hint: "load one first: aegis-kexec load KERNEL",
    });
  }
  // kernel/ksysfs.c: the folder is there with /sys, what tells of kexec only with CONFIG_KEXEC_CORE.
  if (!loaded.known && typeof statusOfPath("/sys/kernel") !== "number") {
    throw new KexecError("no-kexec-file", {
      message: `cannot ${handingOver}: this kernel was built without kexec, or does not show it to this process`,
      hint: "boot a kernel with CONFIG_KEXEC_FILE, and run it outside of containers",
    });
  }
}

/** What reboot(2) would refuse is refused before anything is done for it. */
function requireRights(throughSystemd: boolean): void {
  const privilege = readPrivilege();
  if (valueIn(privilege.initialPidNamespace) === false) {
    throw new KexecError("pid-namespace", {
      message: `cannot ${handingOver}: this process is not in the initial pid namespace`,
      hint: "run it on the host, not in a container",
    });
  }
  // systemd has rules of its own on who may ask it.
  const problem = throughSystemd ? undefined : capabilityProblem(handingOver, privilege);
  if (problem !== undefined) throw problem;
}

function jump(): never {
  using log = KernelLog.fromNow();
  const result = rebootKexec();
  throw diagnoseExec(-result, readEvidence(libc().architecture), log.lines());
}
