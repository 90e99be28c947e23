/** What was read of the machine. What could not be read says why; it is never taken for "no". */

import { EACCES, ENOENT, EPERM, errnoText } from "../errno.ts";
import { readText } from "../linux/descriptor.ts";

export type Reading<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly why: string };

export function known<T>(value: T): Reading<T> {
  return { known: true, value };
}

export function unknown(why: string): { readonly known: false; readonly why: string } {
  return { known: false, why };
}

/** The value, or undefined where it is unknown. */
export function valueIn<T>(reading: Reading<T>): T | undefined {
  return reading.known ? reading.value : undefined;
}

/** Reads the first of `paths` that exists and parses it; `parse` gives undefined for nonsense. */
export function readFact<T>(
  paths: readonly string[],
  parse: (text: string) => T | undefined,
  absent: string,
): Reading<T> {
  for (const path of paths) {
    const file = readText(path);
    if (!file.ok) {
      if (file.errno === ENOENT) continue;
      return file.errno === EACCES || file.errno === EPERM
        ? unknown(`no permission to read ${path}`)
        : unknown(`${path}: ${errnoText(file.errno).toLowerCase()}`);
    }
    const value = parse(file.text.trim());
    return value === undefined ? unknown(`${path} has unexpected content`) : known(value);
  }
  return unknown(absent);
}

export function parseBoolean(text: string): boolean | undefined {
  if (text === "0") return false;
  if (text === "1") return true;
  return undefined;
}

/** A decimal integer that is safe in a JavaScript number. */
export function parseInteger(text: string): number | undefined {
  if (!/^-?\d{1,16}$/.test(text)) return undefined;
  const value = Number(text);
  return Number.isSafeInteger(value) ? value : undefined;
}
