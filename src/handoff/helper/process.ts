/**
 * A helper process does work that may hang in the kernel, as on a dead disk or server. It is left behind
 * when it makes no progress.
 */

import { errnoText } from "../../errno.ts";
import { readText, writeAll } from "../../linux/descriptor.ts";
import { meminfoField } from "../../machine/kernel.ts";
import { valueIn } from "../../machine/reading.ts";
import type { Observer } from "../report.ts";

/** Seconds without progress after which a helper is given up. */
const stallSeconds = 10;
/** Seconds after which a helper is given up even if it makes progress. */
const longestSeconds = 300;

/** What the process says to its parent: a line of JSON. */
export type HelperMessage =
  | { readonly kind: "read-only"; readonly id: number }
  | { readonly kind: "problem"; readonly text: string; readonly errno: number }
  /**
   * The helper begins this. `device` (`major:minor`) is given where one file system alone is
   * touched.
   */
  | { readonly kind: "at"; readonly text: string; readonly device?: string }
  | { readonly kind: "done" };

/** @param errno positive */
export function problemMessage(what: string, errno: number): HelperMessage {
  return { kind: "problem", text: `${what}: ${errnoText(errno).toLowerCase()}`, errno };
}

/** Sends a message from the helper to its parent. */
export function sendToParent(message: HelperMessage): void {
  writeAll(1, new TextEncoder().encode(`${JSON.stringify(message)}\n`));
}

/** Starts a helper with `input` on its standard input. Undefined where it cannot be started. */
export function startHelper(command: readonly string[], input?: Uint8Array) {
  try {
    return Bun.spawn([...command], {
      stdin: input ?? "ignore",
      stdout: "pipe",
      stderr: "ignore",
      env: {},
    });
  } catch {
    return undefined;
  }
}

type Helper = NonNullable<ReturnType<typeof startHelper>>;

interface Progress {
  finished: boolean;
  ended: boolean;
  /** The time of the last progress, `performance.now()`. */
  last: number;
  at: string;
  device: string | undefined;
}

/** Work that was given up. `device` is given where one file system alone hangs and time is left. */
export interface GivenUp {
  readonly device: string | undefined;
}

/**
 * Waits until the helper ends, or makes no progress: then a warning is given.
 * @param begin when the work began, `performance.now()`: it may be done by several processes
 */
export async function followHelper(
  process: Helper,
  begin: number,
  onMessage: (message: HelperMessage) => void,
  observer: Observer,
  interrupted: () => boolean = () => false,
): Promise<GivenUp | undefined> {
  const progress: Progress = {
    finished: false,
    ended: false,
    last: performance.now(),
    at: "starting",
    device: undefined,
  };
  const reading = readMessages(process.stdout, (message) => {
    progress.last = performance.now();
    if (message.kind === "done") progress.finished = true;
    if (message.kind === "at") {
      progress.at = message.text;
      progress.device = message.device;
    }
    onMessage(message);
  })
    .catch(() => undefined)
    .then(() => {
      progress.ended = true;
    });
  let dirty = dirtyBytes();
  while (!progress.ended && !interrupted()) {
    await Promise.race([reading, Bun.sleep(100)]);
    const now = performance.now();
    const left = dirtyBytes();
    if (left < dirty) progress.last = now;
    dirty = Math.min(dirty, left);
    if (now - progress.last > stallSeconds * 1000 || now - begin > longestSeconds * 1000) break;
  }
  if (progress.finished) return undefined;
  if (interrupted()) {
    abandon(process);
    // The caller undoes what the helper has done by then.
    await Promise.race([reading, Bun.sleep(200)]);
    return undefined;
  }
  const after = Math.round((performance.now() - begin) / 1000);
  observer.warn?.(
    progress.ended
      ? `not everything was flushed: the flushing process ended early (${progress.at})`
      : `not everything was flushed: ${progress.at} makes no progress, given up after ${after} s`,
  );
  abandon(process);
  const timeIsUp = after >= longestSeconds;
  return { device: progress.ended || timeIsUp ? undefined : progress.device };
}

/** Kills the helper and does not wait: the kernel may hold it for ever. */
function abandon(process: Helper): void {
  process.kill("SIGKILL");
  process.unref();
}

/**
 * Calls `onMessage` with every message in a stream of lines. A line that is no message is left out.
 */
async function readMessages(
  stream: ReadableStream<Uint8Array>,
  onMessage: (message: HelperMessage) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const message = parseMessage(line);
      if (message !== undefined) onMessage(message);
    }
  }
}

/** Parses one line that a helper wrote. */
export function parseMessage(line: string): HelperMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null || !("kind" in value)) return undefined;
  if (value.kind === "done") return { kind: "done" };
  if (value.kind === "read-only" && "id" in value && typeof value.id === "number") {
    return { kind: "read-only", id: value.id };
  }
  if (!("text" in value) || typeof value.text !== "string") return undefined;
  if (value.kind === "problem" && "errno" in value && typeof value.errno === "number") {
    return { kind: "problem", text: value.text, errno: value.errno };
  }
  if (value.kind !== "at") return undefined;
  return "device" in value && typeof value.device === "string"
    ? { kind: "at", text: value.text, device: value.device }
    : { kind: "at", text: value.text };
}

/** Bytes that wait for a disk or a server: they become fewer while a flush goes on. */
function dirtyBytes(): number {
  const file = readText("/proc/meminfo");
  if (!file.ok) return 0;
  return ["Dirty", "Writeback"].reduce(
    (sum, field) => sum + (valueIn(meminfoField(file.text, field)) ?? 0),
    0,
  );
}
