/** What to do about an error: its remedy, the hint as it is told, and its data. */
import { type Kinds, makeRemedies, type Remedy } from "./table.ts";

type Table = ReturnType<typeof makeRemedies>;

/** The codes that have a remedy: all of them. */
export type RemediedCode = keyof Table;

/** The data of an error with this code. What a case does not know is left out. */
export type DetailsOf<C extends RemediedCode> = C extends RemediedCode
  ? DataOf<Table[C]["details"]>
  : never;

type DataOf<D> = {
  readonly [Name in keyof D]?: D[Name] extends keyof Kinds ? Kinds[D[Name]] | undefined : never;
};

/** The data of any error. */
export type Details = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/** Made with the first error, so that a load without one does not pay for it. */
let made: Table | undefined;

export function remedies(): Table {
  made ??= makeRemedies();
  return made;
}

/** Of what is known, the data that an error with this code has a name for. */
export function detailsOf(code: RemediedCode, known: Details | undefined): Details {
  if (known === undefined) return {};
  const { details }: Remedy = remedies()[code];
  const named = Object.entries(known).filter(
    ([name, value]) => value !== undefined && Object.hasOwn(details, name),
  );
  return Object.fromEntries(named);
}

/** Bounds what is read on a console at one look. */
const FIRST_HINT = 100;

/**
 * The hint as it is told: its first line is for somebody at a console, a second one for whoever
 * builds or signs. Without a hint of its own a case has none.
 */
export function hintOf(code: RemediedCode, own: string | null | undefined): string | null {
  if (own === undefined || own === null) return null;
  const remedy: Remedy = remedies()[code];
  const [first = ""] = own.split("\n");
  // What is wrong with a request is its author's to repair, and only the case knows how.
  const ownFirst = own.includes("\n") || code === "usage" || !remedy.ownSecond;
  if (own === remedy.hint || (ownFirst && first.length <= FIRST_HINT)) return own;
  return `${remedy.hint}\n${own.replaceAll("\n", "; ")}`;
}
