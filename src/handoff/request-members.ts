/** The members of requests, and how a request is parsed: what request.ts is made of. */
import * as v from "valibot";
import { cannot } from "../errors.ts";

export const path = v.pipe(v.string("a path must be text"), v.nonEmpty("a path must not be empty"));
export const text = v.string("it must be text");
export const wholeNumber = v.pipe(
  v.number("it must be a number"),
  v.safeInteger("it must be a whole number"),
  v.minValue(0, "it must not be negative"),
);
export const flag = v.optional(v.boolean("it must be true or false"), false);

/** A list, or one of its elements alone; `wanted` names what it is a list of. */
export function listOf<T extends v.GenericSchema<unknown, unknown>>(element: T, wanted: string) {
  const alone = v.pipe(
    element,
    v.transform((one) => [one]),
  );
  const why = ({ input }: { readonly input: unknown }) =>
    [input].flat().includes("") ? "one of them is empty" : `it must be a list of ${wanted}`;
  return v.optional(v.union([v.array(element), alone], why), []);
}

/** A day: hardware counts no further, and nothing else is waited for so long. */
export const longestWait = 86_400;

/** @throws KexecError `usage`, naming the first wrong member */
export function parse<T extends v.GenericSchema<unknown, unknown>>(
  schema: T,
  request: unknown,
  name: string,
): v.InferOutput<T> {
  const result = v.safeParse(schema, request, { abortEarly: true });
  if (result.success) return result.output;
  const issue = result.issues[0];
  const member = v.getDotPath(issue);
  throw cannot(`understand the ${name} request`, {
    code: "usage",
    why: `${member === null ? "" : `${member}: `}${problemOf(issue)}`,
  });
}

/** Valibot's own words begin with a capital; for a key too much or too few they are hard to read. */
function problemOf({ type, path: at, expected, message }: v.BaseIssue<unknown>): string {
  if (type === "strict_object" && at !== undefined) {
    return expected === "never" ? "there is no such member" : "it is missing";
  }
  return message.startsWith("Invalid ") ? message.toLowerCase() : message;
}
