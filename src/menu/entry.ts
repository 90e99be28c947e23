/** An entry of a menu of any kind, and which one is meant. Pure. */

/**
 * What a reader of menus returns for each entry, in the menu's order. Whatever it could not work out
 * is in `problem`; nothing of such an entry is believed, and it is listed all the same.
 */
export interface MenuEntry {
  /** What `--entry` takes first; of several that are equal none is taken by it. */
  readonly id: string;
  readonly title: string | undefined;
  /** Path from the root of the tree that the entry counts from; undefined where none is named. */
  readonly kernel: string | undefined;
  readonly initrds: readonly string[];
  readonly cmdline: string | undefined;
  /** Whether its boot loader would take it now; of at most one entry. */
  readonly default: boolean;
  /** Why it cannot be booted here, in words that follow the entry's name and a colon. */
  readonly problem: string | undefined;
  /** Where it stands: `boot/grub/grub.cfg:120`, `loader/entries/a.conf`. */
  readonly from: string;
}

/** How the problem of an entry ends whose files are on a file system that is not mounted here. */
export const notMounted = "which is not mounted";

/** `missed`: what was asked for names nothing; `several`: those that it names. */
export type Choice<E> =
  | { readonly kind: "entry"; readonly entry: E }
  | { readonly kind: "missed" }
  | { readonly kind: "several"; readonly entries: readonly E[] };

/**
 * The entry that `--entry` names: by its id, else by a title that only one has, else by its number
 * from 0.
 */
export function pickEntry<E extends MenuEntry>(entries: readonly E[], wanted: string): Choice<E> {
  const number = /^\d{1,9}$/.test(wanted) ? Number(wanted) : undefined;
  const ways = [
    entries.filter(({ id }) => id === wanted),
    entries.filter(({ title }) => title === wanted),
    entries.filter((_, index) => index === number),
  ];
  const named = ways.find((found) => found.length > 0) ?? [];
  const [entry] = named;
  if (entry === undefined) return { kind: "missed" };
  return named.length === 1 ? { kind: "entry", entry } : { kind: "several", entries: named };
}

/** The default where it can be booted, else the first that can. */
export function defaultEntry<E extends MenuEntry>(entries: readonly E[]): E | undefined {
  const bootable = entries.filter(({ problem }) => problem === undefined);
  return bootable.find((entry) => entry.default) ?? bootable[0];
}
