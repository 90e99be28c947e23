/** `--log`: a line of JSON for each attempt, on disk before the jump, so that the last words survive. */
import { KexecError } from "../errors.ts";
import type { SecretSpec } from "../initramfs/secret.ts";
import { readText } from "../linux/descriptor.ts";
import { shownSource } from "../source/place.ts";
import { asKexecError, withoutSuppressed } from "../thrown.ts";
import { version } from "../version.ts";
import { visibleJson } from "../visible.ts";
import { appendFlushed } from "./helper/append-line.ts";
import type { LoadReport, Observer } from "./report.ts";
import type { AskedLoadRequest, ParsedExecRequest } from "./request.ts";

export type AttemptCommand = "load" | "boot" | "exec";

/** What an attempt came to. `handing-over` is written before the jump. */
export type Outcome =
  | { readonly outcome: "loaded" | "dry-run"; readonly result: LoadReport }
  | { readonly outcome: "handing-over"; readonly result: LoadReport | null }
  | { readonly outcome: "failed"; readonly error: KexecError };

/** What is asked for, without what a secret could be found by. */
export type LoggedRequest = Partial<AskedLoadRequest> & Partial<ParsedExecRequest>;

export class AttemptLog {
  private constructor(
    private path: string | undefined,
    private readonly head: Readonly<Record<string, unknown>>,
    private readonly secrets: readonly SecretSpec[],
    private readonly told: Observer,
  ) {}

  private readonly warnings: string[] = [];

  /** Tells `told`; what is warned of stands in the log, too. */
  readonly observer: Observer = {
    note: (line) => this.told.note?.(line),
    warn: (line) => {
      this.warnings.push(line);
      this.told.warn?.(line);
    },
    progress: (...step) => this.told.progress?.(...step),
    detached: (what) => this.told.detached?.(what),
    handover: (report) => this.told.handover?.(report),
    failure: (error, action) => this.told.failure?.(error, action),
  };

  /**
   * A log that can be written, or none where `path` is undefined, or on a disk that hangs or a file system that
   * is read-only, which is a warning. The file is made here, mode 0600.
   * @throws KexecError `io-error`
   */
  static async begin(
    path: string | undefined,
    command: AttemptCommand,
    request: LoggedRequest,
    observer: Observer = {},
  ): Promise<AttemptLog> {
    const log = new AttemptLog(
      path,
      { version, command, request: withoutSecrets(request) },
      request.secrets ?? [],
      observer,
    );
    await log.append("");
    return log;
  }

  /** @throws KexecError `io-error` */
  writeLoaded(result: LoadReport): Promise<void> {
    return this.write({ outcome: result.loaded ? "loaded" : "dry-run", result });
  }

  /** Does the work; when it fails, writes that down and throws the error on. */
  async orFailure<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      try {
        await this.write({
          outcome: "failed",
          error: withoutSources(asKexecError(error), this.secrets),
        });
      } catch {
        // The work's own error is the one to tell.
      }
      throw withoutSuppressed(error);
    }
  }

  /** Appends one line and flushes it to disk, unless the disk hangs. @throws KexecError `io-error` */
  async write(outcome: Outcome): Promise<void> {
    const warnings = this.warnings.map((text) => textWithoutSources(text, this.secrets));
    const line = visibleJson({ ...moment(), ...this.head, ...outcome, warnings });
    await this.append(`${line}\n`);
  }

  /** Once given up, it is not tried again: the time is lost already. */
  private async append(text: string): Promise<void> {
    if (this.path === undefined) return;
    if (!(await appendFlushed(this.path, text, this.told))) this.path = undefined;
  }
}

/** The request as it is logged: as the library calls SOURCE, and of secrets only where they go. */
export function withoutSecrets(request: LoggedRequest): Readonly<Record<string, unknown>> {
  const { secrets, signal: _, source, ...others } = request;
  const rest = source === undefined ? others : { kernel: shownKernel(source), ...others };
  if (secrets === undefined) return rest;
  const keys = secrets.flatMap(({ luks }) => luks ?? []);
  return {
    ...rest,
    secrets: secrets.flatMap(({ destination, mode, luks }) =>
      luks === undefined ? { destination, mode } : [],
    ),
    ...(keys.length === 0 ? {} : { luks: keys }),
  };
}

function shownKernel(kernel: string | readonly string[]) {
  return typeof kernel === "string" ? shownSource(kernel) : kernel.map(shownSource);
}

/** The clock may be wrong in an early boot, so the seconds since the start are told as well. */
function moment(): { time: string; uptime: number | null } {
  const uptime = readText("/proc/uptime", 256);
  const seconds = Number(uptime.ok ? uptime.text.split(" ")[0] : Number.NaN);
  return { time: new Date().toISOString(), uptime: Number.isFinite(seconds) ? seconds : null };
}

/** A log outlives the attempt: a secret is called by its place there, not by where it can be found. */
function withoutSources(error: KexecError, secrets: readonly SecretSpec[]): KexecError {
  const message = textWithoutSources(error.message, secrets);
  if (message === error.message) return error;
  return new KexecError(error.code, { message, errno: error.errno });
}

function textWithoutSources(text: string, secrets: readonly SecretSpec[]): string {
  let found = text;
  for (const { source, destination, luks } of secrets) {
    if (source.kind !== "file") continue;
    const place = `secret for ${luks?.uuid ?? destination}`;
    found = found.replaceAll(`secret ${source.path}`, place);
  }
  return found;
}
