/**
 * Where results and errors go. Results go to standard output, everything else to standard error.
 *
 * With `--json`, standard output carries exactly one object: the result, or `{"error": ...}`.
 * Errors and warnings are still written to standard error in words. A handover that succeeds has
 * nobody to report to, so `boot` and `exec` write an object only when they come back.
 */

import { EBADF, EPIPE } from "../../errno.ts";
import type { KexecError } from "../../errors.ts";
import type { LoadReport, Observer } from "../../handoff/report.ts";
import { ioError } from "../../linux/descriptor.ts";
import { visible, visibleJson } from "../../visible.ts";
import { failureWords, lastWords } from "./describe.ts";
import { Progress } from "./progress.ts";
import type { ProgressLines } from "./progress-lines.ts";
import { drain, onTerminal, STDERR, STDOUT, wasClosed, writeLines } from "./streams.ts";

export interface OutputSettings {
  readonly json: boolean;
  /** No result text and no warnings. */
  readonly quiet: boolean;
  /** Notes on what is done. */
  readonly verbose: boolean;
}

type Colour = "red" | "yellow" | "cyan";
/** ECMA-48, select graphic rendition. */
const sgr: Readonly<Record<Colour, string>> = { red: "1;31", yellow: "1;33", cyan: "36" };

/** Bytes with which a call of the kernel takes a noticeable time. */
const NOTICEABLE = 8 << 20;

export class Output {
  /** Standard output takes one result: after a write of it failed, the error is not put behind it. */
  private resultWritten = false;
  /** An error that was told before its action was taken is not told again. */
  private told: KexecError | undefined;
  /** An error whose message the result has, on the same screen. */
  private said: KexecError | undefined;
  /** The result could not be written because nobody reads standard output any more. */
  readerGone = false;
  private errorsOnTerminal: boolean | undefined;
  private readonly progress = new Progress();
  /** Tells programs of the phases, where they asked for it. */
  private lines: ProgressLines | undefined;

  constructor(readonly settings: OutputSettings) {
    // Nobody makes a note that nobody hears.
    if (settings.verbose) this.observer.note = (line) => this.note(line);
  }

  /** @throws KexecError `usage` */
  tellProgress(form: string | undefined, fd: string | undefined): Promise<void> | undefined {
    if (form === undefined && fd === undefined) return undefined;
    return import("../arguments/progress.ts").then(({ progressLines }) => {
      this.lines = progressLines(form, fd, this.settings.json);
    });
  }

  /**
   * Writes the result: its words, or itself with `--json`. What was done is done where standard output was closed.
   * @throws KexecError `io-error` when it could not be written
   */
  result<T>(value: T, describe: (value: T) => readonly string[]): void {
    if (this.settings.quiet && !this.settings.json) return;
    this.write(value, describe);
  }

  /** Writes a result that is all that the command is for: nothing was done where nobody can read it. */
  answer<T>(value: T, describe: (value: T) => readonly string[]): void {
    if (this.settings.quiet && !this.settings.json) return;
    this.text(value, describe);
  }

  /**
   * Writes what was asked for by name, such as a help text, even with `--quiet`.
   * @throws KexecError `io-error`
   */
  text<T>(value: T, describe: (value: T) => readonly string[]): void {
    if (wasClosed(STDOUT)) throw ioError("write the result to standard output", EBADF);
    this.write(value, describe);
  }

  private write<T>(value: T, describe: (value: T) => readonly string[]): void {
    this.progress.clear();
    this.lines?.end();
    this.resultWritten = true;
    const lines = this.settings.json ? [visibleJson(value)] : describe(value).map(visible);
    const failed = writeLines(STDOUT, lines);
    if (failed === 0) return;
    this.readerGone = failed === -EPIPE;
    throw ioError("write the result to standard output", -failed);
  }

  /** An error that the result tells of: on a screen that shows that, only what to do comes behind it. */
  inResult(error: KexecError): KexecError {
    const { quiet, json } = this.settings;
    if (!quiet && !json && onTerminal(STDOUT) && onTerminal(STDERR)) this.said = error;
    return error;
  }

  /** Writes the error: a line on what failed, what the kernel logged, what to do. */
  error(error: KexecError): void {
    this.progress.clear();
    this.lines?.end(error.code);
    if (this.settings.json && !this.resultWritten) {
      this.resultWritten = true;
      writeLines(STDOUT, [visibleJson({ error })]);
    }
    if (error === this.told) return;
    this.told = error;
    const first = `${this.coloured("red", "aegis-kexec:")} ${visible(error.message)}`;
    const lines = error === this.said ? [] : [first];
    for (const line of error.kernelLog) lines.push(`  kernel: ${visible(line)}`);
    if (error.hint !== null) {
      const hint = visible(error.hint.replace("\n", "; "));
      lines.push(`${this.coloured("cyan", "hint:")} ${hint}`);
    }
    writeLines(STDERR, lines);
  }

  /** Further lines about an error, for `--verbose`. */
  trace(text: string): void {
    if (this.settings.verbose) {
      writeLines(
        STDERR,
        text.split("\n").map((line) => `  ${visible(line)}`),
      );
    }
  }

  /** What the pipeline tells of its work while it goes on. */
  readonly observer: Observer = {
    warn: (line) => {
      if (this.settings.quiet) return;
      this.progress.clear();
      writeLines(STDERR, [`aegis-kexec: ${this.coloured("yellow", "warning:")} ${visible(line)}`]);
    },
    progress: (step, done, total, phase) => {
      this.lines?.update(step, done, total, phase);
      // What has no size shows nothing; nor does a call that is over at once.
      if (total === 0 || (phase === "call" && total < NOTICEABLE)) return;
      if (this.settings.quiet || this.settings.json || !this.terminal()) return;
      if (phase === "call") this.progress.wait(done < total ? step : undefined, total);
      else this.progress.update(step, done, total, phase === "download");
    },
    detached: (what) => {
      if (this.settings.quiet) return;
      this.progress.clear();
      writeLines(STDERR, [`aegis-kexec: detached ${visible(what)}`]);
      drain(STDERR);
    },
    handover: (report) => this.handover(report),
    failure: (error, action) => {
      this.error(error);
      writeLines(STDERR, [`aegis-kexec: ${failureWords[action] ?? action}`]);
      drain(STDERR);
    },
  };

  private note(line: string): void {
    this.progress.clear();
    writeLines(STDERR, [`aegis-kexec: ${visible(line)}`]);
  }

  /** The last words. That they cannot be written is no reason to stay. */
  private handover(report: LoadReport | undefined): void {
    this.progress.clear();
    this.lines?.end();
    const stream = this.settings.json ? STDERR : STDOUT;
    if (!this.settings.quiet) writeLines(stream, lastWords(report).map(visible));
    for (const one of [STDOUT, STDERR] as const) drain(one);
  }

  private coloured(colour: Colour, text: string): string {
    return this.terminal() && colourWanted(Bun.env) ? `\x1b[${sgr[colour]}m${text}\x1b[0m` : text;
  }

  private terminal(): boolean {
    this.errorsOnTerminal ??= onTerminal(STDERR);
    return this.errorsOnTerminal;
  }
}

/** Whether the user's environment lets a terminal have colours: no-color.org, and a dumb terminal. */
export function colourWanted(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { NO_COLOR, TERM } = environment;
  return (NO_COLOR === undefined || NO_COLOR === "") && TERM !== "dumb";
}
