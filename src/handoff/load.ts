/** Loads a kernel: request → source → verified → assembled → loaded. */

import type { Architecture } from "../architecture.ts";
import type { LoadAttempt } from "../diagnosis/evidence.ts";
import { crashMemoryCause, permissionCause } from "../diagnosis/permission.ts";
import { errnoName, errnoText } from "../errno.ts";
import { cannot, KexecError } from "../errors.ts";
import { kexecFileLoad, kexecFileUnload, knowsDebug } from "../linux/kexec.ts";
import { KernelLog } from "../linux/kmsg.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import { readIdentity, readKexecFact, readLoadPrivilege } from "../machine/kernel.ts";
import { valueIn } from "../machine/reading.ts";
import { Source } from "../source/open.ts";
import { withoutSuppressed } from "../thrown.ts";
import { gateFor } from "./gate/choose-gate.ts";
import type { ArchiveLoaded, LoadReport, Observer, SecretReport } from "./report.ts";
import {
  type AskedLoadRequest,
  hasOneSource,
  type LoadRequest,
  type ParsedLoadRequest,
  parseLoadRequest,
  requestsOf,
} from "./request.ts";
import { Assembled } from "./stages/assemble.ts";
import { finish, kernelReport } from "./stages/finish.ts";
import { Interruption } from "./stages/interruption.ts";
import { requireState } from "./stages/kernel-state.ts";
import { finalizeHandover, warnOfLostHandover } from "./stages/kexec-handover.ts";
import { lock } from "./stages/lock.ts";
import { placeWarnings, Secrets, SecretsOnce } from "./stages/secrets.ts";
import { Verified } from "./stages/verify.ts";

/**
 * Verifies, assembles and loads a kernel with its initramfs and command line; it does not jump.
 * What was loaded before stays loaded when this fails, but for a crash kernel.
 * @throws KexecError with any code of exits 2 to 10 and 12
 */
export function load(request: LoadRequest, observer: Observer = {}): Promise<LoadReport> {
  return loadAndReport(request, observer, () => undefined);
}

/**
 * As `load`. What carries a secret stays loaded only if the report could be delivered: whoever is told
 * of a failure must not find a secret in what is loaded.
 */
export async function loadAndReport(
  request: LoadRequest,
  observer: Observer,
  deliver: (report: LoadReport) => void,
): Promise<LoadReport> {
  requireLinux();
  const parsed = parseLoadRequest(request);
  const log = parsed.log === undefined ? undefined : await beginLog(parsed, observer);
  const held = log !== undefined && parsed.secrets.length > 0;
  using interruption = held ? Interruption.start() : undefined;
  const from = () => Loaded.from(parsed, observer);
  try {
    using loaded = await (log === undefined ? from() : log.orFailure(from));
    await log?.writeLoaded(loaded.report);
    await interruption?.check();
    deliver(loaded.report);
    return loaded.keep();
  } catch (error) {
    throw withoutSuppressed(error);
  }
}

async function beginLog(parsed: AskedLoadRequest, observer: Observer) {
  const { AttemptLog } = await import("./attempt-log.ts");
  return AttemptLog.begin(parsed.log, "load", parsed, observer);
}

/**
 * Proof that the kernel accepted this load. `loadAndExec` jumps only with one in hand. Disposing of it
 * unloads what carries a secret, unless that was to be kept.
 */
export class Loaded implements Disposable {
  private constructor(
    readonly report: LoadReport,
    private readonly carried: DisposableStack,
  ) {}

  /** From here on it stays loaded. */
  keep(): LoadReport {
    this.carried.move();
    return this.report;
  }

  /** @throws KexecError where what carries a secret could not be unloaded */
  [Symbol.dispose](): void {
    this.carried.dispose();
  }

  static async from(given: AskedLoadRequest, observer: Observer): Promise<Loaded> {
    const { architecture } = libc();
    const warnings: string[] = [];
    const warn = (line: string) => {
      warnings.push(line);
      observer.warn?.(line);
    };
    const recorded: Observer = {
      warn,
      note: (line) => observer.note?.(line),
      progress: (step, done, total) => observer.progress?.(step, done, total),
    };

    const request = await withRsdp(given, architecture, recorded);
    const called = hasOneSource(request)
      ? await loadOne(request, architecture, recorded)
      : await loadFirst(request, architecture, recorded);
    using carried = called.carried;
    const locked = !request.dryRun && request.lock;
    if (locked) lock(request.crash);
    return new Loaded({ ...called.report, locked, warnings }, carried.move());
  }
}

/** What a load came to, whatever else was said and done about it. */
interface Called {
  readonly report: Omit<LoadReport, "locked" | "warnings">;
  /** Disposing of it unloads what carries a secret. */
  readonly carried: DisposableStack;
}

/** The first SOURCE that is taken. Secrets are read once: standard input has them no second time. */
async function loadFirst(
  asked: AskedLoadRequest,
  architecture: Architecture,
  observer: Observer,
): Promise<Called> {
  const { firstThatPasses } = await import("./several.ts");
  using interruption = asked.secrets.length > 0 ? Interruption.start() : undefined;
  using secrets = new SecretsOnce(asked.secrets, interruption);
  return await firstThatPasses(
    requestsOf(asked),
    (request) => loadOne(request, architecture, observer, secrets),
    async () => interruption?.check(),
    observer,
  );
}

async function loadOne(
  request: ParsedLoadRequest,
  architecture: Architecture,
  observer: Observer,
  secrets?: SecretsOnce,
): Promise<Called> {
  const limitBefore = request.dryRun ? undefined : requirePermission(request);
  for (const problem of await Secrets.problems(request.secrets)) throw problem;
  for (const line of placeWarnings(request.secrets)) observer.warn?.(line);
  const gate = await gateFor(request);
  for (const problem of gate.refusedSecrets(request.secrets)) throw problem;
  using source = await Source.open(request, observer, gate);
  using verified = await Verified.from(source, request, architecture, gate, observer);
  if (request.checkImage ?? request.dryRun) {
    const { warnOfChangedImage } = await import("./stages/changed-image.ts");
    warnOfChangedImage(verified.image.file, observer);
  }
  if (verified.cmdline === "") {
    observer.warn?.("the command line is empty: the next kernel gets no root= and no console=");
  }
  if (!request.crash) await warnOfLostHandover(verified.cmdline, observer);
  const given = await assembleAndCall(verified, request, limitBefore, observer, secrets);
  if (!request.dryRun && !request.crash) finish(source, observer);
  return {
    report: {
      target: request.crash ? "crash" : "reboot",
      loaded: !request.dryRun,
      kernel: kernelReport(source, verified),
      initrds: given.archives,
      cmdline: verified.cmdline,
      generation: source.manifest?.manifest.generation ?? null,
      trust: verified.trust,
      milliseconds: given.milliseconds,
      secrets: given.secrets,
    },
    carried: given.carried,
  };
}

async function withRsdp(
  request: AskedLoadRequest,
  architecture: Architecture,
  observer: Observer,
): Promise<AskedLoadRequest> {
  if (request.acpiRsdp === undefined) return request;
  const { rsdpForRequest } = await import("./stages/rsdp.ts");
  return rsdpForRequest(request, architecture, observer);
}

/**
 * Refuses before any work what the kernel would refuse after it.
 * @returns the load limit before the call, -1 for none, undefined where the kernel has no limits
 */
function requirePermission(request: ParsedLoadRequest): number | undefined {
  const disabled = readKexecFact("disabled");
  const limit = valueIn(readKexecFact(request.crash ? "loadLimitPanic" : "loadLimitReboot"));
  const cause =
    permissionCause(readLoadPrivilege(), { disabled }, limit, request.crash) ??
    (request.crash ? crashMemoryCause(valueIn(readKexecFact("crashSize"))) : undefined);
  if (cause !== undefined) throw cannot(`load ${request.kernel}`, cause);
  return limit;
}

/** What was given to the kernel, and the milliseconds of the call. */
interface Given {
  readonly milliseconds: number;
  readonly archives: readonly ArchiveLoaded[];
  readonly secrets: readonly SecretReport[];
  /** Disposing of it unloads what carries a secret. */
  readonly carried: DisposableStack;
}

/** Holds the secrets for as long as it takes and no longer. */
async function assembleAndCall(
  verified: Verified,
  request: ParsedLoadRequest,
  limitBefore: number | undefined,
  observer: Observer,
  shared: SecretsOnce | undefined,
): Promise<Given> {
  const withSecrets = request.secrets.length > 0;
  using interruption = withSecrets ? Interruption.start() : undefined;
  // Before the interruption, which ends the process where a signal came.
  using carried = new DisposableStack();
  using secrets = await (shared?.lend() ?? Secrets.read(request.secrets, interruption));
  const lenient = request.damagedInitrd === "warn";
  using assembled = await Assembled.from(verified, secrets, lenient, observer);
  await interruption?.check();
  const told = { archives: assembled.archives, secrets: secrets.report() };
  if (request.dryRun) return { milliseconds: 0, ...told, carried: carried.move() };
  const milliseconds = await call(assembled, request, limitBefore, observer);
  if (withSecrets) carried.defer(() => unloadSecret(request.crash));
  await interruption?.check();
  return { milliseconds, ...told, carried: carried.move() };
}

/** Unloads what carries a secret and will not be used. @throws KexecError where it stays loaded */
function unloadSecret(crash: boolean): void {
  const result = kexecFileUnload(crash, true);
  if (result === 0) return;
  throw new KexecError("io-error", {
    message: `the kernel that carries a secret could not be unloaded: ${errnoText(-result).toLowerCase()}`,
    errno: errnoName(-result),
    hint: "run aegis-kexec unload, or reboot: the secret is in memory until then",
  });
}

/** The system call. Returns the milliseconds it took; throws when it failed. */
async function call(
  assembled: Assembled,
  request: ParsedLoadRequest,
  limitBefore: number | undefined,
  observer: Observer,
): Promise<number> {
  const finalized = request.crash ? undefined : await finalizeHandover(observer);
  const kernelSize = assembled.verified.image.file.size;
  observer.note?.(
    `giving the kernel ${kernelSize} bytes of image and ${assembled.initrdSize} bytes of initramfs by kexec_file_load(2)`,
  );
  using log = KernelLog.fromNow();
  const { cmdline } = assembled.verified;
  const debug = request.debug && knowsDebug(readIdentity().release);
  const start = performance.now();
  const result = kexecFileLoad({
    kernelFd: assembled.kernelFd,
    initrdFd: assembled.initrdFd,
    cmdline,
    crash: request.crash,
    debug,
    patient: limitBefore === undefined || limitBefore < 0,
  });
  const milliseconds = Math.round(performance.now() - start);
  const kernelLog = log.lines();
  if (result < 0) {
    finalized?.[Symbol.dispose]();
    const attempt: LoadAttempt = {
      name: request.kernel,
      crash: request.crash,
      debug,
      kernelSize,
      initrdSize: assembled.initrdSize,
      limitBefore,
    };
    const { architecture } = libc();
    const { diagnoseLoad } = await import("../diagnosis/diagnose.ts");
    const { readLoadEvidence } = await import("./evidence.ts");
    const evidence = readLoadEvidence(architecture, errnoName(-result), assembled.kernelFd);
    throw diagnoseLoad(-result, attempt, evidence, kernelLog);
  }
  for (const line of kernelLog) observer.note?.(`kernel: ${line}`);
  requireState(request.crash ? "crashLoaded" : "loaded", true);
  return milliseconds;
}
