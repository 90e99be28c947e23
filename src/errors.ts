/**
 * Every way in which this program can fail: a stable code, the exit code that
 * goes with it, what happened, and what to do about it.
 */
import {
  type Details,
  type DetailsOf,
  detailsOf,
  hintOf,
  type RemediedCode,
  remedies,
} from "./remedies/remedies.ts";
import type { Action } from "./remedies/table.ts";

export type { Details, DetailsOf } from "./remedies/remedies.ts";
export type { Action } from "./remedies/table.ts";

/** Exit codes of the command line. Scripts rely on them; they never change their meaning. */
export const ExitCode = {
  done: 0,
  bug: 1,
  usage: 2,
  unsupportedSystem: 3,
  badInput: 4,
  untrusted: 5,
  kernelSignature: 6,
  notPermitted: 7,
  notBootable: 8,
  noMemory: 9,
  busy: 10,
  nothingLoaded: 11,
  io: 12,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

const exits = {
  "internal-error": ExitCode.bug,

  usage: ExitCode.usage,

  "unsupported-platform": ExitCode.unsupportedSystem,
  "unsupported-architecture": ExitCode.unsupportedSystem,
  "no-kexec-file": ExitCode.unsupportedSystem,
  "no-jit": ExitCode.unsupportedSystem,
  "no-libc": ExitCode.unsupportedSystem,
  "unsupported-flag": ExitCode.unsupportedSystem,

  "file-not-found": ExitCode.badInput,
  "file-unreadable": ExitCode.badInput,
  "not-a-regular-file": ExitCode.badInput,
  "file-empty": ExitCode.badInput,
  "file-too-large": ExitCode.badInput,
  "file-changed": ExitCode.badInput,
  "not-below": ExitCode.badInput,
  "malformed-input": ExitCode.badInput,
  "malformed-cmdline": ExitCode.badInput,
  "cmdline-too-long": ExitCode.badInput,

  untrusted: ExitCode.untrusted,
  "no-signature": ExitCode.untrusted,
  "bad-signature": ExitCode.untrusted,
  "bad-key": ExitCode.untrusted,
  "bad-manifest": ExitCode.untrusted,
  "digest-mismatch": ExitCode.untrusted,
  "outside-folder": ExitCode.untrusted,
  "generation-too-low": ExitCode.untrusted,
  "policy-broken": ExitCode.untrusted,
  "policy-refused": ExitCode.untrusted,

  "kernel-unsigned": ExitCode.kernelSignature,
  "kernel-signer-unknown": ExitCode.kernelSignature,
  "kernel-signature-bad": ExitCode.kernelSignature,
  "kernel-signature-revoked": ExitCode.kernelSignature,
  "kernel-changed-after-signing": ExitCode.kernelSignature,
  "kernel-signature-malformed": ExitCode.kernelSignature,
  "kernel-signature-algorithm": ExitCode.kernelSignature,
  "kernel-signature-refused": ExitCode.kernelSignature,
  "ima-refused": ExitCode.kernelSignature,

  "no-capability": ExitCode.notPermitted,
  "kexec-disabled": ExitCode.notPermitted,
  "load-limit-reached": ExitCode.notPermitted,
  lockdown: ExitCode.notPermitted,
  "loadpin-refused": ExitCode.notPermitted,
  "pid-namespace": ExitCode.notPermitted,
  "not-permitted": ExitCode.notPermitted,

  "not-a-kernel": ExitCode.notBootable,
  "kernel-truncated": ExitCode.notBootable,
  "wrong-architecture": ExitCode.notBootable,
  "kernel-unsuitable": ExitCode.notBootable,
  "system-not-found": ExitCode.notBootable,

  "out-of-memory": ExitCode.noMemory,
  "no-room": ExitCode.noMemory,
  "no-crash-memory": ExitCode.noMemory,

  busy: ExitCode.busy,
  "file-busy": ExitCode.busy,

  "nothing-loaded": ExitCode.nothingLoaded,

  "io-error": ExitCode.io,
  "no-interface": ExitCode.io,
  "no-link": ExitCode.io,
  "no-address": ExitCode.io,
  "name-not-found": ExitCode.io,
  "no-route": ExitCode.io,
  "connection-refused": ExitCode.io,
  "tls-unknown-authority": ExitCode.io,
  "tls-wrong-name": ExitCode.io,
  "tls-expired": ExitCode.io,
  "clock-wrong": ExitCode.io,
  "tls-failed": ExitCode.io,
  "http-status": ExitCode.io,
  "redirect-refused": ExitCode.io,
  "bad-answer": ExitCode.io,
  "transfer-cut": ExitCode.io,
  "too-long": ExitCode.io,
  stalled: ExitCode.io,
  aborted: ExitCode.io,
} as const satisfies Readonly<Record<RemediedCode, ExitCode>>;

/** A stable kebab-case word for one cause of failure; part of the `--json` contract. */
export type ErrorCode = keyof typeof exits;

/** Every error code with its exit code, in the order of the exit codes. */
export const errorCodes: Readonly<Record<ErrorCode, ExitCode>> = exits;

export function isErrorCode(word: string): word is ErrorCode {
  return Object.hasOwn(exits, word);
}

/** Why something cannot be done: one shape from the readers of formats up to the error. */
export interface Cause<C extends ErrorCode = ErrorCode> {
  readonly code: C;
  /** What stands behind "cannot DOING: ": one line, lower case, no full stop. */
  readonly why: string;
  /**
   * What to do; where the evidence does not decide, the candidates and how to tell them apart. Two
   * lines: the first for somebody at a console, the second for whoever builds or signs.
   */
  readonly hint?: string | null | undefined;
  /** What to do, where that is not what the code's remedy says. */
  readonly action?: Action | undefined;
  /** What `why` says, as data: the names are those of the code's remedy. */
  readonly details?: DetailsOf<C> | undefined;
}

export interface KexecErrorDetail {
  /** One line, lower case, no full stop: what failed, a colon, why. */
  readonly message: string;
  /** What the reader can do about it. Left out where there is nothing true to say. */
  readonly hint?: string | null | undefined;
  /** Left out: the action of the code. */
  readonly action?: Action | undefined;
  readonly details?: Details | undefined;
  /** Symbolic name of the errno that the kernel gave, for example `ENODATA`. */
  readonly errno?: string | undefined;
  /** Lines that the kernel logged while the failed call ran, without their prefix. */
  readonly kernelLog?: readonly string[];
  readonly cause?: unknown;
}

/**
 * The only error that the library throws on purpose. Anything else that
 * escapes is a bug.
 */
export class KexecError extends Error {
  override readonly name = "KexecError";
  readonly code: ErrorCode;
  /** Exit code of the command line for this error: 1 to 12. */
  readonly exit: ExitCode;
  readonly errno: string | undefined;
  /** Its first line, of at most 100 characters, is for whoever is there; a second for who builds. */
  readonly hint: string | null;
  /** What to do next: a stable word. */
  readonly action: Action;
  /** What the message says, as data: see `DetailsOf`, and `hasCode` for its type by code. */
  readonly details: Details;
  readonly kernelLog: readonly string[];

  constructor(code: ErrorCode, detail: KexecErrorDetail) {
    super(detail.message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    this.exit = exits[code];
    this.errno = detail.errno;
    this.hint = hintOf(code, detail.hint);
    this.action = detail.action ?? remedies()[code].action;
    this.details = detailsOf(code, detail.details);
    this.kernelLog = detail.kernelLog ?? [];
  }

  /** The same error in other words, or under another code: then with the action of that. */
  with(words: Partial<KexecErrorDetail>, code: ErrorCode = this.code): KexecError {
    const { message, hint, errno, details, kernelLog, cause } = this;
    const action = code === this.code ? this.action : undefined;
    const own = { message, hint, errno, action, details, kernelLog, cause };
    return new KexecError(code, { ...own, ...words });
  }

  /** The `error` member of the `--json` output. */
  toJSON(): {
    code: ErrorCode;
    exit: ExitCode;
    errno: string | null;
    message: string;
    hint: string | null;
    action: Action;
    details: Details;
    kernelLog: readonly string[];
  } {
    const { code, exit, errno, message, hint, action, details, kernelLog } = this;
    return { code, exit, errno: errno ?? null, message, hint, action, details, kernelLog };
  }
}

/** An error of this code, whose data have their own names and types. */
export type KexecErrorOf<C extends ErrorCode> = Omit<KexecError, "code" | "details"> & {
  readonly code: C;
  readonly details: DetailsOf<C>;
};

/** Whether an error has this code; its details have the type of that code then. */
export function hasCode<C extends ErrorCode>(error: unknown, code: C): error is KexecErrorOf<C> {
  return error instanceof KexecError && error.code === code;
}

/**
 * The error `cannot DOING: WHY`.
 * @param doing What was asked for: a verb and its object.
 */
export function cannot<C extends ErrorCode>(
  doing: string,
  { code, why, hint, action, details }: Cause<C>,
  detail: Omit<KexecErrorDetail, "message" | "hint" | "action"> = {},
): KexecError {
  const message = `cannot ${doing}: ${why}`;
  return new KexecError(code, {
    ...detail,
    message,
    hint,
    action,
    details: { ...detail.details, ...details },
  });
}
