/** A boot entry that is counted: it is counted down, and the next system told where it is. */
import type { Listener } from "../../listener.ts";
import type { Afterwards, FileTree, Opened } from "../kind.ts";
import { countDown } from "./afterwards.ts";
import { lastingPlace } from "./mounted.ts";

interface CountedEntry {
  /** Of its file, without the counter. */
  readonly id: string;
  readonly path: string;
  readonly triesLeft: number | undefined;
}

/** @param written What its loader writes beside. */
export function counted(
  opened: Opened,
  root: FileTree,
  { id, path, triesLeft }: CountedEntry,
  written: readonly Afterwards[],
  listener: Listener,
): Opened {
  if (triesLeft === undefined) return { ...opened, afterwards: written };
  if (triesLeft === 0) listener.warn?.(`the boot entry ${path} has no tries left`);
  const down = countDown(root, path);
  const folder = path.slice(0, path.lastIndexOf("/"));
  // Whatever its counter is by then.
  const whole = `${root.canonicalPath.replace(/\/$/, "")}/${folder}/${id}`;
  return {
    ...opened,
    afterwards: down === undefined ? written : [down, ...written],
    from: root.canonicalPath.startsWith("/") ? lastingPlace(whole) : whole,
  };
}
