/** Reading a closed schema with every problem named, by valibot. */

import * as v from "valibot";
import { type Checked, type Json, maxProblems, parseJson, pathTo } from "./json.ts";

/** Reads JSON bytes by a schema that is made of `closedObject`s. */
export function readJson<T>(
  bytes: Uint8Array,
  maxBytes: number,
  schema: v.GenericSchema<unknown, T>,
): Checked<T> {
  const { value, problems } = parseJson(bytes, maxBytes);
  if (value === undefined) return { value: undefined, problems };
  const checked = check(value, schema);
  if (checked.value !== undefined && problems.length === 0) return checked;
  return { value: undefined, problems: [...problems, ...checked.problems].slice(0, maxProblems) };
}

function check<T>(json: Json, schema: v.GenericSchema<unknown, T>): Checked<T> {
  const unknownKeys: string[] = [];
  for (;;) {
    const result = v.safeParse(schema, json);
    if (result.success && unknownKeys.length === 0) return { value: result.output, problems: [] };
    // Valibot names the first unknown key of an object: without that key it names the next.
    const unknown = result.issues?.filter(isUnknownKey) ?? [];
    unknownKeys.push(...unknown.map(describe));
    if (unknown.length === 0 || unknownKeys.length >= maxProblems) {
      const others = result.issues?.filter((issue) => !isUnknownKey(issue)).map(describe) ?? [];
      return { value: undefined, problems: [...unknownKeys, ...others].slice(0, maxProblems) };
    }
    for (const issue of unknown) removeKey(issue);
  }
}

function isUnknownKey(issue: v.BaseIssue<unknown>): boolean {
  return issue.type === "strict_object" && issue.expected === "never";
}

function removeKey(issue: v.BaseIssue<unknown>): void {
  const item = issue.path?.at(-1);
  if (item?.type === "object") Reflect.deleteProperty(item.input, item.key);
}

function describe(issue: v.BaseIssue<unknown>): string {
  const path = issue.path?.reduce((above, { key }) => {
    return pathTo(above, typeof key === "number" ? key : String(key));
  }, "");
  return path === undefined ? issue.message : `${path}: ${issue.message}`;
}

/** An object with these keys and no others. */
export function closedObject<const Entries extends v.ObjectEntries>(entries: Entries) {
  return v.pipe(
    // To valibot an array is an object too: one without keys, where all are optional.
    v.custom<object>(
      (value) => typeof value === "object" && value !== null && !Array.isArray(value),
      "must be an object",
    ),
    v.strictObject(entries, ({ expected }) => (expected === "never" ? "unknown key" : "missing")),
  );
}

/** A string that breaks no rule: `problemOf` gives the broken one in words, or undefined. */
export function text(problemOf: (value: string) => string | undefined) {
  return v.pipe(
    v.string("must be a string"),
    v.check(
      (value) => problemOf(value) === undefined,
      (issue) => problemOf(issue.input) ?? "refused",
    ),
  );
}

/** A whole number from `minimum` to 2^53 - 1, above which two spellings are one number. */
export function wholeNumber(minimum: number) {
  return wholeNumberTo(minimum, Number.MAX_SAFE_INTEGER);
}

export function wholeNumberTo(minimum: number, maximum: number) {
  const message = `must be a whole number from ${minimum} to ${maximum}`;
  return v.pipe(
    v.number(message),
    v.check(
      (value) => Number.isSafeInteger(value) && value >= minimum && value <= maximum,
      message,
    ),
  );
}

/** At most `maximum` of `item`. */
export function list<const Item extends v.GenericSchema>(item: Item, maximum: number) {
  return v.pipe(
    v.array(item, "must be an array"),
    v.maxLength(maximum, `more than ${maximum} entries`),
  );
}
