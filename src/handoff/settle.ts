/**
 * Before the jump: flush every file system, and leave those on block devices read-only, so that
 * their journals are clean. A dead network mount or disk holds sync(2) for ever, so a process of its
 * own does the work, and is left behind when it makes no progress.
 */
import { readText, writeAll } from "../linux/descriptor.ts";
import { errnoText } from "../linux/errno.ts";
import { syncFileSystems } from "../linux/kexec.ts";
import { meminfoField } from "../linux/machine.ts";
import { blockFileSystems, flush, type Mount, readMounts, remount } from "../linux/mounts.ts";
import { valueIn } from "../linux/reading.ts";
import { selfCommand } from "../linux/self.ts";
import type { Observer } from "./report.ts";

/** The argument by which the program knows that it is the process that settles. */
export const settleWord = "internal:settle-file-systems";

/** Seconds without progress after which a file system is given up. */
export const stallSeconds = 10;
/** Seconds after which it is given up even if it goes on. */
const longestSeconds = 300;
/** File systems that may hang before all the rest is given up. */
const stuckMost = 8;

/** What the settling process says of one step: a line of JSON. */
type Step =
  | { readonly kind: "read-only"; readonly id: number }
  | { readonly kind: "problem"; readonly text: string }
  /** What it begins; `device` is that of a file system alone, `major:minor`. */
  | { readonly kind: "at"; readonly text: string; readonly device?: string }
  | { readonly kind: "done" };

/** File systems that were made read-only. Dispose of it to make them writable again. */
export class Settled implements Disposable {
  constructor(private readonly mounts: readonly Mount[]) {}

  [Symbol.dispose](): void {
    for (const mount of this.mounts) remount(mount, false);
  }
}

/** Does it, with a limit. What could not be done is a warning: the jump is not stopped by it. */
export async function settle(observer: Observer): Promise<Settled> {
  const mounts = readMounts();
  if (typeof mounts === "number") {
    observer.warn?.(
      `file systems stay writable: /proc/self/mountinfo: ${errnoText(-mounts).toLowerCase()}`,
    );
  }
  const known = typeof mounts === "number" ? [] : mounts;
  const done: Mount[] = [];
  const hear = (step: Step) => {
    if (step.kind === "problem") observer.warn?.(step.text);
    if (step.kind === "at") observer.note?.(step.text);
    if (step.kind === "read-only") done.push(...known.filter(({ id }) => id === step.id));
  };
  const command = selfCommand(settleWord);
  const begin = performance.now();
  const skipped: string[] = [];
  for (;;) {
    const process = command === undefined ? undefined : start([...command, ...skipped]);
    if (process === undefined) {
      observer.note?.("flushing file systems on block devices, without a limit");
      settleBlockDevices(skipped, hear);
      break;
    }
    const stuck = await follow(process, begin, hear, observer);
    // One that hangs must not keep the others from being flushed.
    if (stuck === undefined || skipped.length === stuckMost) break;
    skipped.push(stuck);
  }
  return new Settled(done);
}

/** The work of the settling process. Its arguments are devices to leave alone. */
export function settleHere(skipped: readonly string[]): void {
  const tell = (step: Step) => {
    writeAll(1, new TextEncoder().encode(`${JSON.stringify(step)}\n`));
  };
  settleBlockDevices(skipped, tell);
  // Last, for a network mount can hold it for ever.
  tell({ kind: "at", text: "flushing all other file systems" });
  syncFileSystems();
  tell({ kind: "done" });
}

function settleBlockDevices(skipped: readonly string[], tell: (step: Step) => void): void {
  const mounts = readMounts();
  if (typeof mounts === "number") return;
  const fileSystems = blockFileSystems(mounts).filter(
    ({ mount, writable }) => writable && !skipped.includes(mount.device),
  );
  // All are flushed before one is remounted: what hangs then has lost nothing.
  for (const { mount } of fileSystems) {
    tell({ kind: "at", text: `flushing ${mount.mountPoint}`, device: mount.device });
    const result = flush(mount);
    if (result < 0) tell(problem(`cannot flush ${mount.mountPoint}`, -result));
  }
  for (const { mount } of fileSystems) {
    tell({ kind: "at", text: `remounting ${mount.mountPoint} read-only`, device: mount.device });
    const result = remount(mount, true);
    tell(
      result < 0
        ? problem(`cannot remount ${mount.mountPoint} read-only`, -result)
        : { kind: "read-only", id: mount.id },
    );
  }
}

function problem(what: string, errno: number): Step {
  return { kind: "problem", text: `${what}: ${errnoText(errno).toLowerCase()}` };
}

function start(command: readonly string[]) {
  try {
    return Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "ignore", env: {} });
  } catch {
    return undefined;
  }
}

type Settling = NonNullable<ReturnType<typeof start>>;

interface Progress {
  finished: boolean;
  ended: boolean;
  /** When something went on. */
  last: number;
  at: string;
  device: string | undefined;
}

/** Waits for its end. Returns the device that it hangs on, where that is one. */
async function follow(
  process: Settling,
  begin: number,
  hear: (step: Step) => void,
  observer: Observer,
): Promise<string | undefined> {
  const progress: Progress = {
    finished: false,
    ended: false,
    last: performance.now(),
    at: "starting",
    device: undefined,
  };
  const reading = readSteps(process.stdout, (step) => {
    progress.last = performance.now();
    if (step.kind === "done") progress.finished = true;
    if (step.kind === "at") {
      progress.at = step.text;
      progress.device = step.device;
    }
    hear(step);
  })
    .catch(() => undefined)
    .then(() => {
      progress.ended = true;
    });
  let dirty = dirtyBytes();
  while (!progress.ended) {
    await Promise.race([reading, Bun.sleep(100)]);
    const now = performance.now();
    const left = dirtyBytes();
    if (left < dirty) progress.last = now;
    dirty = Math.min(dirty, left);
    if (now - progress.last > stallSeconds * 1000 || now - begin > longestSeconds * 1000) break;
  }
  if (progress.finished) return undefined;
  const after = Math.round((performance.now() - begin) / 1000);
  observer.warn?.(
    progress.ended
      ? `not everything was flushed: the flushing process ended early (${progress.at})`
      : `not everything was flushed: ${progress.at} makes no progress, given up after ${after} s`,
  );
  process.kill("SIGKILL");
  process.unref();
  const timeIsUp = after >= longestSeconds;
  return progress.ended || timeIsUp ? undefined : progress.device;
}

/** Calls `hear` with every step in a stream of lines; what is no step is left out. */
async function readSteps(
  stream: ReadableStream<Uint8Array>,
  hear: (step: Step) => void,
): Promise<void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    const lines = (text + decoder.decode(chunk, { stream: true })).split("\n");
    text = lines.pop() ?? "";
    for (const line of lines) {
      const step = parseStep(line);
      if (step !== undefined) hear(step);
    }
  }
}

/** One line of the settling process. */
export function parseStep(line: string): Step | undefined {
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
  if ((value.kind === "problem" || value.kind === "at") && "text" in value) {
    if (typeof value.text !== "string") return undefined;
    if (value.kind === "at" && "device" in value && typeof value.device === "string") {
      return { kind: "at", text: value.text, device: value.device };
    }
    return { kind: value.kind, text: value.text };
  }
  return undefined;
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
