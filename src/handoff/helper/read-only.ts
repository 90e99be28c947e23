/**
 * Before the jump every file system is flushed, and those on block devices are made read-only, so that
 * their journals are clean. A dead network mount or disk holds sync(2) for ever, so a helper process
 * does the work, and is left behind when it makes no progress.
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
import {
  followHelper,
  type HelperMessage,
  problemMessage,
  sendToParent,
  startHelper,
} from "./process.ts";

/** The argument by which the program knows that it is the helper process. */
export const readOnlyArgument = "internal:make-file-systems-read-only";

/** The most file systems that may hang; after one more the rest is given up. */
const stuckMost = 8;

/** File systems that were made read-only. Dispose of it to make them writable again. */
export class ReadOnlyFileSystems implements Disposable {
  constructor(private readonly mounts: readonly Mount[]) {}

  [Symbol.dispose](): void {
    for (const mount of this.mounts) remount(mount, false);
  }
}

/**
 * Flushes every file system and remounts those on block devices read-only, in bounded time. A failure
 * is a warning: the jump is not stopped by it. It ends early once `interrupted` says so.
 */
export async function makeFileSystemsReadOnly(
  observer: Observer,
  interrupted: () => boolean = () => false,
): Promise<ReadOnlyFileSystems> {
  const mounts = readMounts();
  if (typeof mounts === "number") {
    observer.warn?.(
      `file systems stay writable: /proc/self/mountinfo: ${errnoText(-mounts).toLowerCase()}`,
    );
  }
  const known = typeof mounts === "number" ? [] : mounts;
  const done: Mount[] = [];
  const onMessage = (message: HelperMessage) => {
    if (message.kind === "problem") observer.warn?.(message.text);
    if (message.kind === "at") observer.note?.(message.text);
    if (message.kind === "read-only") done.push(...known.filter(({ id }) => id === message.id));
  };
  const command = selfCommand(readOnlyArgument);
  const begin = performance.now();
  const skipped: string[] = [];
  for (;;) {
    const process = command === undefined ? undefined : startHelper([...command, ...skipped]);
    if (process === undefined) {
      observer.note?.("flushing file systems on block devices, without a limit");
      makeBlockDevicesReadOnly(skipped, onMessage);
      break;
    }
    const stuck = await followHelper(process, begin, onMessage, observer, interrupted);
    // One that hangs must not keep the others from being flushed.
    if (stuck?.device === undefined || skipped.length === stuckMost) break;
    skipped.push(stuck.device);
  }
  return new ReadOnlyFileSystems(done);
}

/** The work of the helper process. Its arguments are devices to leave alone. */
export function makeReadOnlyHere(skipped: readonly string[]): void {
  makeBlockDevicesReadOnly(skipped, sendToParent);
  // Last, for a network mount can hold it for ever.
  sendToParent({ kind: "at", text: "flushing all other file systems" });
  syncFileSystems();
  sendToParent({ kind: "done" });
}

function makeBlockDevicesReadOnly(
  skipped: readonly string[],
  send: (message: HelperMessage) => void,
): void {
  const mounts = readMounts();
  if (typeof mounts === "number") return;
  const fileSystems = blockFileSystems(mounts).filter(
    ({ mount, writable }) => writable && !skipped.includes(mount.device),
  );
  // All are flushed before one is remounted: what hangs then has lost nothing.
  for (const { mount } of fileSystems) {
    send({ kind: "at", text: `flushing ${mount.mountPoint}`, device: mount.device });
    const result = flush(mount);
    if (result < 0) send(problemMessage(`cannot flush ${mount.mountPoint}`, -result));
  }
  for (const { mount } of fileSystems) {
    send({ kind: "at", text: `remounting ${mount.mountPoint} read-only`, device: mount.device });
    const result = remount(mount, true);
    send(
      result < 0
        ? problemMessage(`cannot remount ${mount.mountPoint} read-only`, -result)
        : { kind: "read-only", id: mount.id },
    );
  }
}
