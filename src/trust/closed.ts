/**
 * Reading a closed object, every broken rule named with its place. A few functions of this program's own: every
 * signed load reads a manifest, and by valibot that were a twentieth of it. The policy is read by schema.ts.
 */
import {
  type Checked,
  type Json,
  maxProblems,
  type Place,
  parseCanonical,
  parseJson,
  pathOf,
} from "./json.ts";

/** The rules that are broken: keys that nobody knows are named first. */
interface Found {
  readonly unknown: string[];
  readonly broken: string[];
}

/** Gives the value at a place, or adds what is wrong with it. */
export type Rule<T> = (json: Json, at: Place | undefined, found: Found) => T | undefined;

/** Reads JSON bytes by a rule. */
export function readClosed<T>(bytes: Uint8Array, maxBytes: number, rule: Rule<T>): Checked<T> {
  const canonical = parseCanonical(bytes, maxBytes);
  if (canonical !== undefined) {
    const found: Found = { unknown: [], broken: [] };
    const value = rule(canonical, undefined, found);
    if (value !== undefined && isEmpty(found)) return { value, problems: [] };
  }
  // What is wrong is said by the strict reader, which knows the places of all of it
  const { value: json, problems } = parseJson(bytes, maxBytes);
  if (json === undefined) return { value: undefined, problems };
  const found: Found = { unknown: [], broken: [] };
  const value = rule(json, undefined, found);
  const all = [...problems, ...found.unknown, ...found.broken];
  if (value !== undefined && all.length === 0) return { value, problems: [] };
  return { value: undefined, problems: all.slice(0, maxProblems) };
}

function isEmpty({ unknown, broken }: Found): boolean {
  return unknown.length === 0 && broken.length === 0;
}

function breaks(why: string, at: Place | undefined, found: Found): undefined {
  found.broken.push(at === undefined ? why : `${pathOf(at)}: ${why}`);
}

/** An object with these keys and no others; those of `optional` may be missing. */
export function closed<T extends object>(
  rules: { readonly [K in keyof T]-?: Rule<NonNullable<T[K]>> },
  optional: readonly (keyof T & string)[] = [],
): Rule<T> {
  return (json, at, found) => {
    if (typeof json !== "object" || json === null || Array.isArray(json)) {
      return breaks("must be an object", at, found);
    }
    const value: Partial<T> = {};
    for (const key in rules) {
      const place = { above: at, key };
      const given = Object.hasOwn(json, key) ? json[key] : undefined;
      if (given === undefined) {
        if (!optional.includes(key)) breaks("missing", place, found);
        continue;
      }
      const read = rules[key](given, place, found);
      if (read !== undefined) value[key] = read;
    }
    for (const key in json) {
      if (!Object.hasOwn(rules, key))
        found.unknown.push(`${pathOf({ above: at, key })}: unknown key`);
    }
    // Whole where nothing was found, and used only then
    return value as T;
  };
}

/** A string that breaks no rule: `problemOf` gives the broken one in words, or undefined. */
export function textBy<T extends string = string>(
  problemOf: (value: string) => string | undefined,
): Rule<T> {
  return (json, at, found) => {
    const why = typeof json === "string" ? problemOf(json) : "must be a string";
    return why === undefined ? (json as T) : breaks(why, at, found);
  };
}

/** One of these words; `wrong` says so. */
export function wordOf<const Word extends string>(
  words: readonly Word[],
  wrong: string,
): Rule<Word> {
  return (json, at, found) => words.find((word) => word === json) ?? breaks(wrong, at, found);
}

/** A whole number from `minimum` to 2^53 - 1, above which two spellings are one number. */
export function wholeNumberFrom(minimum: number): Rule<number> {
  return (json, at, found) =>
    typeof json === "number" && Number.isSafeInteger(json) && json >= minimum
      ? json
      : breaks(`must be a whole number from ${minimum} to ${Number.MAX_SAFE_INTEGER}`, at, found);
}

/** At most `maximum` of `item`. */
export function listBy<T>(item: Rule<T>, maximum: number): Rule<readonly T[]> {
  return (json, at, found) => {
    if (!Array.isArray(json)) return breaks("must be an array", at, found);
    const before = found.broken.length;
    const values: T[] = [];
    for (let index = 0; index < json.length; index++) {
      const value = item(json[index] ?? null, { above: at, key: index }, found);
      if (value !== undefined) values.push(value);
    }
    if (json.length > maximum && found.broken.length === before) {
      return breaks(`more than ${maximum} entries`, at, found);
    }
    return values;
  };
}
