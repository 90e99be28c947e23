/** What was read of the machine. What could not be read says why; it is never taken for "no". Pure. */

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

export function parseBoolean(text: string): boolean | undefined {
  if (text === "0") return false;
  if (text === "1") return true;
  return undefined;
}

/** A decimal integer that is safe in a JavaScript number. */
export function parseInteger(text: string): number | undefined {
  const value = Number(text);
  return Number.isSafeInteger(value) && String(value) === text ? value : undefined;
}
