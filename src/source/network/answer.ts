/** What a server answers: checked before its body is taken. */
import { Failure, passing, refused } from "./failure.ts";
import type { Watch } from "./watch.ts";

/** Bytes of a body from `from` on, and what the server says of the whole. */
export interface Answer {
  readonly from: number;
  /** Bytes of the whole file; undefined where the server does not say. */
  readonly size: number | undefined;
  /** What `If-Range` takes: RFC 9110, section 13.1.5. */
  readonly validator: string | undefined;
  /** Gives the bytes to `take`, to their end or until `take` says that it has enough. */
  read(take: (bytes: Uint8Array) => boolean | Promise<boolean>): Promise<void>;
  /** Where its body is not wanted. */
  cancel(): void;
}

/** What an earlier answer left. */
export interface Resumption {
  readonly from: number;
  /** Undefined: of whatever file is there. */
  readonly validator: string | undefined;
}

/** @throws Failure for whatever is not the file, or its rest as it was asked for */
export function answerOf(
  response: Response,
  resumption: Resumption | undefined,
  watch: Watch,
): Answer {
  const { headers, status } = response;
  const partial = status === 206 && resumption !== undefined;
  if (status !== 200 && !partial) throw statusFailure(status, headers.get("retry-after"));
  const encoding = headers.get("content-encoding");
  if (encoding !== null && !/^(identity)?$/i.test(encoding.trim())) {
    throw refused(
      "bad-answer",
      "the server compresses the file, though it was asked not to",
      "have it serve the file as it is",
    );
  }
  const coding = headers.get("transfer-encoding");
  if (coding !== null && coding.trim().toLowerCase() !== "chunked") {
    throw refused("bad-answer", "the server encodes the answer in a way that was not asked for");
  }
  const length = coding === null ? headers.get("content-length") : null;
  const range = partial ? rangeOf(headers.get("content-range"), resumption.from) : undefined;
  return {
    from: range?.from ?? 0,
    size: range?.size ?? (length === null ? undefined : Number(length)),
    validator: validatorOf(headers),
    read: (take) => readBody(response, watch, take),
    cancel: () => watch.stop(),
  };
}

async function readBody(
  { body }: Response,
  watch: Watch,
  take: (bytes: Uint8Array) => boolean | Promise<boolean>,
): Promise<void> {
  let taking = false;
  try {
    if (body === null) return;
    for await (const bytes of body) {
      watch.heard(bytes.byteLength);
      taking = true;
      if (!(await take(bytes))) return;
      taking = false;
      // What is done with the bytes is no fault of the server's.
      watch.heard();
    }
  } catch (error) {
    if (taking) throw error;
    if (watch.failure !== undefined) throw watch.failure;
    const name = nameOf(error);
    if (name === "ECONNRESET" || name === "ConnectionClosed") {
      throw passing("transfer-cut", "the connection was closed before the end of the file");
    }
    if (name === "") throw error;
    throw refused("bad-answer", "the server's answer is not HTTP, or breaks its rules");
  } finally {
    watch.stop();
  }
}

/** RFC 9110, section 14.4 */
function rangeOf(value: string | null, from: number): { from: number; size: number | undefined } {
  const [, start, , total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(value ?? "") ?? [];
  if (Number(start) !== from) {
    throw refused(
      "bad-answer",
      "the server answers with another part of the file than it was asked for",
    );
  }
  return { from, size: total === "*" ? undefined : Number(total) };
}

/** A weak one does not say that the bytes are the same. */
function validatorOf(headers: Headers): string | undefined {
  const tag = headers.get("etag");
  if (tag !== null && /^"[\x21\x23-\x7e]*"$/.test(tag)) return tag;
  return headers.get("last-modified") ?? undefined;
}

/** Seconds that a server may ask for. */
const longestPause = 120;

function statusFailure(status: number, retryAfter: string | null): Failure {
  if (status === 404 || status === 410) {
    const cause = { code: "file-not-found", errno: "ENOENT" } as const;
    const hint = "check the address, and whether the file is on the server";
    return new Failure({ ...cause, why: `the server has no such file (${status})`, hint }, false);
  }
  const isPassing = [408, 416, 425, 429, 500, 502, 503, 504].includes(status);
  const seconds = /^\d{1,6}$/.test(retryAfter ?? "") ? Number(retryAfter) : 0;
  const hints: Readonly<Record<number, string>> = {
    401: "a server may know this machine by --client-cert and --client-key; passwords are not sent",
    403: "the server's log may say why; it may want to know this machine by --client-cert",
  };
  const hint = hints[status] ?? "the server's log may say why";
  const why = `the server answers ${status}`;
  const cause = { code: "http-status", why, hint, details: { status } } as const;
  return new Failure(cause, isPassing, Math.min(seconds, longestPause) * 1000);
}

/** The runtime's name of what failed; empty for an error of another kind. */
export function nameOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
