/** The names of boot entries and their order: UAPI.1, "Boot counting" and "Sorting". Pure. */
import { compareText, compareVersions } from "../../menu/version-order.ts";

export interface EntryName {
  /** The file's name without the boot counter: what identifies the entry. */
  readonly id: string;
  /** Boots that are left to try; undefined where they are not counted, 0 for a bad entry. */
  readonly triesLeft: number | undefined;
  readonly triesDone: number | undefined;
}

export interface Sortable extends EntryName {
  readonly sortKey: string | undefined;
  readonly machineId: string | undefined;
  readonly version: string | undefined;
}

// INT_MAX, as systemd-boot caps them.
const mostTries = 2 ** 31 - 1;

/**
 * Reads the name of a `.conf` or `.efi` file; undefined for every other name. The specification allows
 * letters, digits and `+-_.`; boot loaders take any name, and so does this: an entry that is passed over
 * for its name would let an older one boot.
 */
export function readEntryName(name: string): EntryName | undefined {
  if (!/.\.(conf|efi)$/is.test(name) || name.startsWith(".")) return undefined;
  const counted = /^(.+)\+(\d{1,10})(?:-(\d{1,10}))?(\.[a-z]+)$/i.exec(name);
  if (counted !== null) {
    const [, prefix, left, done = "0", suffix] = counted;
    const tries = { triesLeft: Number(left), triesDone: Number(done) };
    if (tries.triesLeft <= mostTries && tries.triesDone <= mostTries) {
      return { id: `${prefix}${suffix}`, ...tries };
    }
  }
  return { id: name, triesLeft: undefined, triesDone: undefined };
}

/** The order of a menu: negative where `a` is the better choice. The first one is the default. */
export function compareEntries(a: Sortable, b: Sortable): number {
  return (
    Number(a.triesLeft === 0) - Number(b.triesLeft === 0) ||
    Number(a.sortKey === undefined) - Number(b.sortKey === undefined) ||
    (a.sortKey === undefined || b.sortKey === undefined
      ? 0
      : compareText(a.sortKey, b.sortKey) ||
        compareText(a.machineId ?? "", b.machineId ?? "") ||
        compareVersions(b.version ?? "", a.version ?? "")) ||
    compareVersions(withoutSuffix(b.id), withoutSuffix(a.id)) ||
    // As systemd-boot: the one with more tries left, then the one that failed less often.
    compareTries(b.triesLeft, a.triesLeft) ||
    compareTries(a.triesDone, b.triesDone) ||
    compareText(a.id, b.id)
  );
}

/** Whether `wanted` names the entry: by its id, with or without the suffix, in any case. */
export function isNamed(id: string, wanted: string): boolean {
  // Of a name that is not UTF-8 the command line has U+FFFD for each wrong byte.
  const [name, other] = [id.toWellFormed().toLowerCase(), wanted.toLowerCase()];
  return name === other || withoutSuffix(name) === other;
}

function withoutSuffix(id: string): string {
  return id.replace(/\.(conf|efi)$/i, "");
}

/** What is not counted is good, and stands before what is. */
function compareTries(a: number | undefined, b: number | undefined): number {
  const [left, right] = [a, b].map((tries) => tries ?? Number.POSITIVE_INFINITY);
  return left === right || left === undefined || right === undefined ? 0 : left - right;
}
