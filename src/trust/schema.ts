/** What the manifest and the policy share: reading a closed schema with every problem named. */

import * as v from "valibot";
import { type Json, maxProblems, parseJson, pathTo } from "./json.ts";
import { hasControlCharacter } from "./text.ts";

/** A value, or every reason why there is none: at least one, at most `maxProblems`. */
export type Checked<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: undefined; readonly problems: readonly string[] };

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

/** The rule that an absolute path breaks: one spelling a file, as far as its text can tell. */
export function absolutePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (!path.startsWith("/")) return "must be an absolute path";
  return componentProblem(path.slice(1));
}

/** The rule that a path breaks which must stay below the folder it is relative to. */
export function relativePathProblem(path: string): string | undefined {
  if (path === "") return "must not be empty";
  if (path.startsWith("/")) return "must not be an absolute path";
  return componentProblem(path);
}

function componentProblem(path: string): string | undefined {
  const encoder = new TextEncoder();
  // include/uapi/linux/limits.h: PATH_MAX counts the NUL, NAME_MAX does not.
  if (encoder.encode(path).length > 4095) return "longer than 4095 bytes";
  if (hasControlCharacter(path)) return "must not have control characters";
  for (const component of path.split("/")) {
    if (component === "") return "must not have empty components (// or a / at the end)";
    if (component === "." || component === "..") return `must not have ${component} components`;
    if (encoder.encode(component).length > 255) return "has a component longer than 255 bytes";
  }
  return undefined;
}
