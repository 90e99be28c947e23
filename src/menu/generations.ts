/** A store of generations: the order in which they are tried. Pure. */
import { readCounter } from "./counting.ts";

export interface StoredName {
  /** Of its folder. */
  readonly name: string;
  /** The name without its counter. */
  readonly id: string;
  /** Undefined where it is not counted: it was blessed, or never counted. */
  readonly triesLeft: number | undefined;
  readonly triesDone: number | undefined;
}

/**
 * The folders of a store, each once. A file system without a journal may keep both names of a rename that
 * was cut off: then the lower count is true.
 */
export function storedNames(names: readonly string[]): readonly StoredName[] {
  const found = new Map<string, StoredName>();
  for (const name of names) {
    const { id, left, done } = readCounter(name, false);
    const one = { name, id, triesLeft: left, triesDone: done };
    const known = found.get(id);
    if (known === undefined || isCutRename(known, one)) found.set(id, one);
  }
  return [...found.values()];
}

function isCutRename(known: StoredName, other: StoredName): boolean {
  const [most, less] = [known.triesLeft ?? Number.POSITIVE_INFINITY, other.triesLeft];
  return less !== undefined && less < most;
}

export interface Rank {
  readonly generation: number;
  readonly triesLeft: number | undefined;
  readonly name: string;
}

/**
 * The highest first: those with tries left, then as the last resort those without, then those of which the
 * tries could not be counted.
 */
export function tryOrder<G extends Rank>(all: readonly G[], canCount: boolean): readonly G[] {
  const tier = ({ triesLeft }: Rank) => {
    if (triesLeft === undefined) return 0;
    if (triesLeft === 0) return 1;
    return canCount ? 0 : 2;
  };
  return all.toSorted((one, other) => tier(one) - tier(other) || compareGenerations(one, other));
}

/** The highest first; of equal ones a blessed one. */
export function compareGenerations(one: Rank, other: Rank): number {
  const counted = ({ triesLeft }: Rank) => (triesLeft === undefined ? 0 : 1);
  return (
    other.generation - one.generation ||
    counted(one) - counted(other) ||
    (one.name < other.name ? -1 : 1)
  );
}
