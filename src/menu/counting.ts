/**
 * Boot counting, UAPI.1: a name with `+L-D` in front of its suffix has L tries left after D failed
 * ones. Entries are counted so, UKIs, and the folders of generations. Pure: names in, names out.
 */

import { nameBytes, nameText } from "../name-bytes.ts";

export interface Counted {
  /** The name without its counter: what it is called once it is blessed. */
  readonly id: string;
  /** Undefined where the name is not counted, 0 where its tries are used up. */
  readonly left: number | undefined;
  readonly done: number | undefined;
}

// INT_MAX, as systemd-boot caps them.
const mostTries = 2 ** 31 - 1;

const counter = /^(.+)\+([0-9]{1,10})(?:-([0-9]{1,10}))?(\.[A-Za-z0-9]+)?$/;

/**
 * Reads a name.
 * @param suffix Whether what is behind the last dot belongs behind the counter, as of files; folders
 *   have dots in their versions.
 */
export function readCounter(name: string, suffix: boolean): Counted {
  const uncounted = { id: name, left: undefined, done: undefined };
  const [, stem, left, done = "0", ending = ""] = counter.exec(name) ?? [];
  if (stem === undefined || (ending !== "" && !suffix)) return uncounted;
  const tries = { left: Number(left), done: Number(done) };
  if (tries.left > mostTries || tries.done > mostTries) return uncounted;
  return { id: `${stem}${ending}`, ...tries };
}

/** The name for one try less; undefined where it is not counted, or nothing is left. */
export function countedDown(name: string, suffix: boolean): string | undefined {
  const { id, left, done } = readCounter(name, suffix);
  if (left === undefined || done === undefined || left === 0) return undefined;
  const [, stem = id, ending = ""] = suffix ? (/^(.+)(\.[A-Za-z0-9]+)$/.exec(id) ?? []) : [];
  return `${stem}+${left - 1}-${Math.min(done + 1, mostTries)}${ending}`;
}

/** What a blessing comes to in a folder of these names. */
export type Blessing =
  /** This name is to lose its counter. */
  | { readonly kind: "counted"; readonly name: string }
  /** It has none any more, or never had. */
  | { readonly kind: "uncounted" }
  | { readonly kind: "missing" }
  /** Several names come to the same once their counters are off. */
  | { readonly kind: "several"; readonly names: readonly string[] };

/** @param id See `Counted`. */
export function blessingOf(names: readonly string[], id: string, suffix: boolean): Blessing {
  const same = names.filter((name) => readCounter(name, suffix).id === id);
  const [name] = same;
  if (name === undefined) return { kind: "missing" };
  if (same.length > 1) return { kind: "several", names: same };
  return name === id ? { kind: "uncounted" } : { kind: "counted", name };
}

const fromWord = "aegis_kexec.from=";

/**
 * The word that tells the next system what it was started from; percent-encoded, so that blanks and quotation
 * marks stay in it, and bytes that are not UTF-8. Its dot keeps it from init: kernel/params.c takes it for a
 * module's.
 */
export function fromWordOf(place: string): string {
  const encoded = Array.from(nameBytes(place), (byte) => {
    const character = String.fromCharCode(byte);
    if (/[A-Za-z0-9\-_.!~*'()/:=+]/.test(character)) return character;
    return `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  });
  return `${fromWord}${encoded.join("")}`;
}

/** The place that the last such word of a command line names; undefined where there is none. */
export function fromPlaceIn(words: readonly string[]): string | undefined {
  const word = words.filter((other) => other.startsWith(fromWord)).at(-1);
  if (word === undefined) return undefined;
  const place = percentDecoded(word.slice(fromWord.length));
  return place === undefined || place === "" || /[\x00-\x1f\x7f]/.test(place) ? undefined : place;
}

/** Undefined where a percent sign begins no byte. */
function percentDecoded(text: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) return undefined;
  const bytes = text
    .split(/(%[0-9A-Fa-f]{2})/)
    .flatMap((part, index) =>
      index % 2 === 1 ? [Number.parseInt(part.slice(1), 16)] : [...nameBytes(part)],
    );
  return nameText(Uint8Array.from(bytes));
}
