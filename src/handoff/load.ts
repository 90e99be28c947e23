/** Loads a kernel: request → source → verified → assembled → loaded. */

import type { Architecture } from "../architecture.ts";
import { libc, requireLinux } from "../linux/libc.ts";
import { Source } from "../source/open.ts";
import { isUrl, shownSource } from "../source/place.ts";
import { withoutSuppressed } from "../thrown.ts";
import { admissionFor, gateFor } from "./gate/choose-gate.ts";
import type { Gate } from "./gate/gate.ts";
import { warnOfNext } from "./next/seen.ts";
import { interruptionFor, measurementFor, withRsdp } from "./on-demand.ts";
import type { ArchiveLoaded, LoadReport, Observer } from "./report.ts";
import {
  type AskedLoadRequest,
  hasOneSource,
  type LoadRequest,
  type ParsedLoadRequest,
  parseLoadRequest,
  requestsOf,
} from "./request.ts";
import { Assembled } from "./stages/assemble.ts";
import { call, unloadSecret } from "./stages/call.ts";
import { countRefusal, finish, kernelReport } from "./stages/finish.ts";
import type { Interruption } from "./stages/interruption.ts";
import type { Measurement } from "./stages/measure.ts";
import { requirePermission } from "./stages/permitted.ts";
import { madeFile, placeWarnings, reportOf, Secrets, SecretsOnce } from "./stages/secrets.ts";
import { Verified } from "./stages/verify.ts";
import { traceLoad } from "./trace.ts";

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
  // Held until the report is delivered: what a signal leaves loaded must have been told.
  using interruption = await interruptionFor(parsed.secrets);
  const heard = log?.observer ?? observer;
  const from = () => Loaded.from(parsed, heard, interruption);
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

  /** @param interruption holds signals back for as long as the caller needs; to be had where there are secrets */
  static async from(
    given: AskedLoadRequest,
    observer: Observer,
    interruption: Interruption | undefined,
  ): Promise<Loaded> {
    const { architecture } = libc();
    const warnings: string[] = [];
    const warn = (line: string) => {
      warnings.push(line);
      observer.warn?.(line);
    };
    const recorded: Observer = {
      warn,
      ...(observer.note === undefined ? {} : { note: (line) => observer.note?.(line) }),
      progress: (...told) => observer.progress?.(...told),
    };

    const request = await withRsdp(given, architecture, recorded);
    const called = hasOneSource(request)
      ? await loadOne(request, architecture, recorded, { interruption })
      : await loadFirst(request, architecture, recorded, interruption);
    using carried = called.carried;
    const locked = !request.dryRun && request.lock;
    if (locked) (await import("./stages/lock.ts")).lock(request.crash);
    const report = { ...called.report, locked, warnings };
    if (report.loaded) traceLoad(report);
    return new Loaded(report, carried.move());
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
  interruption: Interruption | undefined,
): Promise<Called> {
  const { firstThatPasses } = await import("./several.ts");
  using secrets = new SecretsOnce(asked.secrets, interruption);
  return await firstThatPasses(
    requestsOf(asked),
    (request) => loadOne(request, architecture, observer, { interruption, shared: secrets }),
    async () => interruption?.check(),
    observer,
  );
}

async function loadOne(
  request: ParsedLoadRequest,
  architecture: Architecture,
  observer: Observer,
  held: Held,
): Promise<Called> {
  const limitBefore = request.dryRun ? undefined : requirePermission(request);
  if (request.secrets.length > 0) {
    for (const problem of await Secrets.problems(request.secrets)) throw problem;
    for (const line of placeWarnings(request.secrets)) observer.warn?.(line);
  }
  const gate = await gateFor(request);
  for (const problem of gate.refusedSecrets(placesIn(request))) throw problem;
  const starts = !request.dryRun && !request.crash;
  observer.progress?.(`opening ${shownSource(request.source)}`, 0, 0, "open");
  const admission = await admissionFor(gate, request, observer);
  const signal = isUrl(request.source)
    ? (held.interruption?.or(request.signal) ?? request.signal)
    : undefined;
  using source = await Source.open({ ...request, starts, signal }, observer, admission);
  try {
    return await loadOpened(
      source,
      request,
      { architecture, gate, limitBefore, ...held },
      observer,
    );
  } catch (error) {
    throw starts ? countRefusal(source, error, observer) : error;
  }
}

async function loadOpened(
  source: Source,
  request: ParsedLoadRequest,
  held: Held & Pick<How, "limitBefore"> & { architecture: Architecture; gate: Gate },
  observer: Observer,
): Promise<Called> {
  const { architecture, gate } = held;
  using verified = await Verified.from(source, request, architecture, gate, observer);
  if (request.checkImage ?? request.dryRun) {
    const { warnOfChangedImage } = await import("./stages/changed-image.ts");
    warnOfChangedImage(verified.image.file, observer);
  }
  if (verified.cmdline === "") {
    observer.warn?.("the command line is empty: the next kernel gets no root= and no console=");
  }
  if (!request.crash) await warnOfNext(verified, observer);
  using measurement = await measurementFor(source, verified, request, gate, observer);
  const how = { ...held, measurement };
  const given = await assembleAndCall(verified, request, how, observer);
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
      measured: given.measured,
      measureLog: given.measureLog,
      secrets: given.secrets,
      luks: given.luks,
    },
    carried: given.carried,
  };
}

/** Places in the next initramfs that no signature covers; those of volumes' keys are not known yet. */
function placesIn({ secrets, measureLog }: ParsedLoadRequest) {
  const log = measureLog === undefined ? [] : [{ destination: measureLog, mode: 0o444 }];
  if (secrets.length === 0) return log;
  return [...secrets.filter(({ luks }) => luks === undefined), ...log];
}

/** What is held for a load by whoever asks for it. */
interface Held {
  readonly interruption: Interruption | undefined;
  /** Secrets that were read for several attempts. */
  readonly shared?: SecretsOnce;
}

/** What a load is made with beside its files. */
interface How extends Held {
  readonly limitBefore: number | undefined;
  readonly measurement: Measurement | undefined;
}

/** What was given to the kernel, and the milliseconds of the call. */
type Given = Pick<LoadReport, "measured" | "milliseconds" | "measureLog" | "secrets" | "luks"> & {
  readonly archives: readonly ArchiveLoaded[];
  /** Disposing of it unloads what carries a secret. */
  readonly carried: DisposableStack;
};

/** The file of the measurements' log; undefined where no log is asked for, or none is kept. */
function logFile(destination: string | undefined, measurement: Measurement | undefined) {
  if (destination === undefined || measurement === undefined) return undefined;
  const log = measurement.log();
  return log.length === 0 ? undefined : madeFile(destination, log);
}

/** Holds the secrets for as long as it takes and no longer. */
async function assembleAndCall(
  verified: Verified,
  request: ParsedLoadRequest,
  { limitBefore, interruption, shared, measurement }: How,
  observer: Observer,
): Promise<Given> {
  using carried = new DisposableStack();
  using read = await (shared?.lend() ?? Secrets.read(request.secrets, interruption));
  const log = await logFile(request.measureLog, measurement);
  using _logged = log?.memory;
  const more = log === undefined ? [] : [log];
  using placed =
    verified.keys.length + more.length === 0 ? undefined : read.placed(verified.keys, more);
  const secrets = placed ?? read;
  const lenient = request.damagedInitrd === "warn";
  using assembled = await Assembled.from(verified, secrets, lenient, observer, request.crash);
  await interruption?.check();
  const told = {
    archives: assembled.archives,
    measureLog: log === undefined ? null : reportOf(log),
    secrets: read.report(),
    luks: secrets.reportKeys(verified.keys),
  };
  if (request.dryRun) return { milliseconds: 0, ...told, measured: [], carried: carried.move() };
  const milliseconds = await call(assembled, request, limitBefore, observer);
  if (request.secrets.length > 0) carried.defer(() => unloadSecret(request.crash));
  const measured = (await measurement?.extend(request.crash, observer)) ?? [];
  await interruption?.check();
  return { milliseconds, ...told, measured, carried: carried.move() };
}
