/**
 * Before the jump: flush every file system, and leave those on block devices read-only, so that
 * their journals are clean. A dead network mount or disk holds sync(2) for ever, so a process of its
 * own does the work, and is left behind when it makes no progress.
 */
import { errnoText } from "../../errno.ts";
import {
  blockFileSystems,
  flush,
  type Mount,
  readMounts,
  remount,
  syncFileSystems,
} from "../../linux/mounts.ts";
import { selfCommand } from "../../linux/self.ts";
import type { Observer } from "../report.ts";
import { follow, problem, type Step, start, tellParent } from "./process.ts";

/** The argument by which the program knows that it is the process that settles. */
export const settleWord = "internal:settle-file-systems";

/** File systems that may hang before all the rest is given up. */
const stuckMost = 8;

/** File systems that were made read-only. Dispose of it to make them writable again. */
export class Settled implements Disposable {
  constructor(private readonly mounts: readonly Mount[]) {}

  [Symbol.dispose](): void {
    for (const mount of this.mounts) remount(mount, false);
  }
}

/**
 * Does it, with a limit. What could not be done is a warning: the jump is not stopped by it.
 * It ends early once `interrupted` says so.
 */
export async function settle(
  observer: Observer,
  interrupted: () => boolean = () => false,
): Promise<Settled> {
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
    const stuck = await follow(process, begin, hear, observer, interrupted);
    // One that hangs must not keep the others from being flushed.
    if (stuck?.device === undefined || skipped.length === stuckMost) break;
    skipped.push(stuck.device);
  }
  return new Settled(done);
}

/** The work of the settling process. Its arguments are devices to leave alone. */
export function settleHere(skipped: readonly string[]): void {
  settleBlockDevices(skipped, tellParent);
  // Last, for a network mount can hold it for ever.
  tellParent({ kind: "at", text: "flushing all other file systems" });
  syncFileSystems();
  tellParent({ kind: "done" });
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
