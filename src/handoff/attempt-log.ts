/** `--log`: a line of JSON for each attempt, on disk before the jump, so that the last words survive. */
import { KexecError } from "../errors.ts";
import {
  close,
  ioError,
  O_APPEND,
  O_CREAT,
  O_RDONLY,
  O_WRONLY,
  open,
  readText,
  writeAll,
} from "../linux/descriptor.ts";
import { EINVAL } from "../linux/errno.ts";
import { statusOfPath } from "../linux/file.ts";
import { libc } from "../linux/libc.ts";
import { version } from "../version.ts";
import type { LoadReport } from "./report.ts";
import type { ParsedExecRequest, ParsedLoadRequest } from "./request.ts";

export type AttemptCommand = "load" | "boot" | "exec";

/** What an attempt came to. `handing-over` is written before the jump. */
export type Outcome =
  | { readonly outcome: "loaded" | "dry-run"; readonly result: LoadReport }
  | { readonly outcome: "handing-over"; readonly result: LoadReport | null }
  | { readonly outcome: "failed"; readonly error: KexecError };

/** What is asked for, without what a secret could be found by. */
export type LoggedRequest = Partial<ParsedLoadRequest> & Partial<ParsedExecRequest>;

export class AttemptLog {
  private constructor(
    private readonly path: string | undefined,
    private readonly head: Readonly<Record<string, unknown>>,
  ) {}

  /**
   * A log that can be written, or none where `path` is undefined. The file is made here, mode 0600.
   * @throws KexecError `io-error`
   */
  static begin(
    path: string | undefined,
    command: AttemptCommand,
    request: LoggedRequest,
  ): AttemptLog {
    if (path !== undefined) createLog(path);
    return new AttemptLog(path, { version, command, request: withoutSecrets(request) });
  }

  /** Does the work of a load, and writes what came of it. An error of the log is told last. */
  async recording(work: () => Promise<LoadReport>): Promise<LoadReport> {
    const result = await this.orFailure(work);
    this.write({ outcome: result.loaded ? "loaded" : "dry-run", result });
    return result;
  }

  /** Does the work; when it fails, writes that down and throws the error on. */
  async orFailure<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      try {
        this.write({ outcome: "failed", error: errorForLog(error) });
      } catch {
        // The work's own error is the one to tell.
      }
      throw error;
    }
  }

  /** Appends one line and flushes it to disk. @throws KexecError `io-error` */
  write(outcome: Outcome): void {
    if (this.path === undefined) return;
    const line = JSON.stringify({ ...moment(), ...this.head, ...outcome });
    // Open only as long as it takes: a file open for writing keeps its file system writable.
    const fd = open(this.path, O_WRONLY | O_APPEND);
    if (fd < 0) throw ioError(`write the log ${this.path}`, -fd);
    try {
      const written = writeAll(fd, new TextEncoder().encode(`${line}\n`));
      if (written < 0) throw ioError(`write the log ${this.path}`, -written);
      flush(fd, this.path);
    } finally {
      close(fd);
    }
  }
}

/** The request as it is logged: of secrets only their number. */
export function withoutSecrets(request: LoggedRequest): Readonly<Record<string, unknown>> {
  const { secrets, ...rest } = request;
  return secrets === undefined ? rest : { ...rest, secrets: secrets.length };
}

/** The clock may be wrong in an early boot, so the seconds since the start are told as well. */
function moment(): { time: string; uptime: number | null } {
  const uptime = readText("/proc/uptime", 256);
  const seconds = Number(uptime.ok ? uptime.text.split(" ")[0] : Number.NaN);
  return { time: new Date().toISOString(), uptime: Number.isFinite(seconds) ? seconds : null };
}

function createLog(path: string): void {
  const isNew = typeof statusOfPath(path) === "number";
  const fd = open(path, O_WRONLY | O_APPEND | O_CREAT, 0o600);
  if (fd < 0) throw ioError(`write the log ${path}`, -fd);
  close(fd);
  if (!isNew) return;
  // The name is in the folder: without this the file could be missing after the jump.
  const slash = path.lastIndexOf("/");
  const folder = open(slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".", O_RDONLY);
  if (folder < 0) return;
  try {
    flush(folder, path);
  } finally {
    close(folder);
  }
}

function flush(fd: number, path: string): void {
  const result = libc().call("fsync", fd);
  // EINVAL: a device such as /dev/kmsg has nothing to flush.
  if (result < 0 && result !== -EINVAL) throw ioError(`flush the log ${path}`, -result);
}

function errorForLog(error: unknown): KexecError {
  if (error instanceof KexecError) return error;
  return new KexecError("internal-error", {
    message: `internal error: ${error instanceof Error ? error.message : String(error)}`,
  });
}
