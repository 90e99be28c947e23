/** Which generations leave a store, and what a fetch that was cut off has left in it. */

import { renameIn } from "../../linux/device/change.ts";
import { flushNames, removeForGood, WrittenFile, writeError } from "../../linux/device/writing.ts";
import { readCounter } from "../../menu/counting.ts";
import { manifestName, mostNames, type StoredGeneration } from "../../source/generations/stored.ts";
import type { Observer } from "../report.ts";
import type { OpenStore } from "./place.ts";

/** A generation, and whether it verifies. */
export interface Judged {
  readonly one: Pick<StoredGeneration, "name" | "id" | "generation" | "triesLeft">;
  readonly verifies: boolean;
  readonly running: boolean;
}

/**
 * Those beyond the newest `keep`: what does not verify counts behind what does. The running one stays, the last
 * good one, which is the highest that is not counted, and `fresh`. Pure.
 * @param all The highest first.
 */
export function superfluous(
  all: readonly Judged[],
  keep: number,
  fresh: string,
): readonly string[] {
  const ranked = [
    ...all.filter(({ verifies }) => verifies),
    ...all.filter(({ verifies }) => !verifies),
  ];
  const lastGood = ranked.find(({ one }) => one.triesLeft === undefined);
  return ranked
    .filter((judged, index) => {
      const stays = judged.running || judged === lastGood || judged.one.name === fresh;
      return !stays && index >= keep;
    })
    .map(({ one }) => one.name);
}

/** Removes what is superfluous. @returns its folders' names */
export async function keepNewest(
  store: OpenStore,
  keep: number,
  fresh: string,
  observer: Observer,
): Promise<readonly string[]> {
  const readable = store.generations().filter(({ broken }) => broken === undefined);
  if (readable.length <= keep) return [];
  const judged: Judged[] = [];
  for (const one of readable) {
    const verifies = one.name === fresh || (await store.whyNot(one)) === undefined;
    judged.push({ one, verifies, running: store.isRunning(one) });
  }
  const removed: string[] = [];
  const names = store.names();
  for (const name of superfluous(judged, keep, fresh)) {
    if (store.isFat && isDoubled(names, name)) {
      observer.warn?.(
        `${name} stays: a rename was cut off, and another name may lead to its files; check the file system`,
      );
      continue;
    }
    removeGeneration(store, name);
    removed.push(name);
  }
  return removed;
}

function isDoubled(names: readonly string[], name: string): boolean {
  const id = idOf(name);
  return names.some((other) => other !== name && idOf(other) === id);
}

/** Of `.7.part`, `7+3` and `7` alike. */
function idOf(name: string): string {
  return leftover.exec(name)?.[1] ?? readCounter(name, false).id;
}

const leftover = /^\.(\d{1,16})\.(?:part|old)$/;

/** Says of a folder on FAT that it is being removed. */
const removedMark = ".removed";

/**
 * Removes a generation so that it is none at once. On FAT it keeps its name: two names would lead to the same
 * clusters after a power cut, and removing one would free those of the other.
 */
export function removeGeneration({ folder, isFat }: OpenStore, name: string): void {
  let gone = name;
  if (isFat) {
    WrittenFile.open(folder, `${name}/${removedMark}`)[Symbol.dispose]();
    flushNames(folder, name);
    removeForGood(folder, `${name}/${manifestName}`);
  } else {
    gone = `.${idOf(name)}.old`;
    removeForGood(folder, gone);
    const result = renameIn(`/proc/self/fd/${folder.fd}`, name, gone);
    if (result < 0) throw writeError(`remove ${folder.path}/${name}`, -result);
  }
  removeForGood(folder, gone);
}

/** Removes what earlier fetches have left. */
export function clearLeftovers(store: OpenStore, number: number): void {
  const names = store.names();
  for (const left of leftovers(names, number, store.isFat)) removeForGood(store.folder, left);
  if (!store.isFat) return;
  for (const name of names) {
    const inside = store.tree.names(name, mostNames) ?? [];
    if (!inside.includes(removedMark) || inside.includes(manifestName)) continue;
    if (!isDoubled(names, name)) removeForGood(store.folder, name);
  }
}

/** What earlier fetches have left: of this generation, and of those below it. Pure. */
export function leftovers(
  names: readonly string[],
  number: number,
  isFat: boolean,
): readonly string[] {
  return names.filter((name) => {
    const [, of] = leftover.exec(name) ?? [];
    return of !== undefined && Number(of) <= number && !(isFat && isDoubled(names, name));
  });
}
