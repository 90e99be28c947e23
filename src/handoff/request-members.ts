/**
 * The members of requests, and how a request is parsed: what request.ts is made of. Every load parses
 * one, so this is a few small functions: valibot, which reads what is signed, has many that run once.
 */
import { cannot } from "../errors.ts";

/** Ends the reading of a member with the reason why. */
export type Refuse = (why: string) => never;

/** What may stand in a request under a name: `Out` is made of the `In` that a caller gives. */
export interface Member<Out, In = Out> {
  readonly read: (value: unknown, refuse: Refuse) => Out;
  /** Of the type alone; no member has it. */
  readonly given?: In;
  readonly required: boolean;
  /** Where it is left out. */
  readonly otherwise?: Out;
}

/** One that may be left out. */
export interface Optional<Out, In = Out> extends Member<Out, In> {
  readonly required: false;
}

export type Members = Readonly<Record<string, Member<unknown>>>;
type OutOf<M> = M extends Member<infer Out, unknown> ? Out : never;
type InOf<M> = M extends Member<unknown, infer In> ? In : never;
type Shown<T> = { [K in keyof T]: T[K] };

/** What a caller may give. */
export type Given<M extends Members> = Shown<
  { [K in keyof M as M[K] extends Optional<unknown> ? never : K]: InOf<M[K]> } & {
    [K in keyof M as M[K] extends Optional<unknown> ? K : never]?: InOf<M[K]> | undefined;
  }
>;

/** What becomes of it. */
export type Parsed<M extends Members> = Shown<
  { [K in keyof M as undefined extends OutOf<M[K]> ? never : K]: OutOf<M[K]> } & {
    [K in keyof M as undefined extends OutOf<M[K]> ? K : never]?: OutOf<M[K]>;
  }
>;

export function member<Out, In = Out>(read: Member<Out, In>["read"]): Member<Out, In> {
  return { read, required: true };
}

export function optional<Out, In>({ read }: Member<Out, In>): Optional<Out | undefined, In> {
  return { read, required: false };
}

export function optionalOr<Out, In>({ read }: Member<Out, In>, otherwise: Out): Optional<Out, In> {
  return { read, required: false, otherwise };
}

/** Text, of which something may be made. */
export function textOf<Out>(
  make: (text: string, refuse: Refuse) => Out,
  wrong = "it must be text",
): Member<Out, string> {
  return member((value, refuse) =>
    typeof value === "string" ? make(value, refuse) : refuse(wrong),
  );
}

export const text = textOf((given) => given);
export const path = textOf(
  (given, refuse) => (given === "" ? refuse("a path must not be empty") : given),
  "a path must be text",
);
export const boolean = member<boolean>((value, refuse) =>
  typeof value === "boolean" ? value : refuse("it must be true or false"),
);
export const flag = optionalOr(boolean, false);

interface Limits {
  readonly least?: number;
  readonly most?: number;
  /** Why there is no more. */
  readonly because?: string;
  readonly seconds?: true;
}

export function wholeNumber(limits: Limits = {}): Member<number> {
  const { least = 0, most = Number.MAX_SAFE_INTEGER, because = "", seconds } = limits;
  return member((value, refuse) => {
    if (typeof value !== "number" || Number.isNaN(value)) return refuse("it must be a number");
    if (!Number.isSafeInteger(value)) {
      return refuse(`it must be a whole number${seconds ? " of seconds" : ""}`);
    }
    if (value < least) {
      const unit = seconds ? " second" : "";
      return refuse(least === 0 ? "it must not be negative" : `it must be ${least}${unit} or more`);
    }
    if (value > most) refuse(`it must be ${most}${seconds ? " seconds" : ""} or less${because}`);
    return value;
  });
}

export function oneOf<const Word extends string>(
  words: readonly Word[],
  wrong: string,
): Member<Word> {
  return member((value, refuse) => words.find((word) => word === value) ?? refuse(wrong));
}

/** A list, or one of its elements alone; `wanted` names what it is a list of. */
export function listOf<Out, In>(
  element: Member<Out, In>,
  wanted: string,
): Optional<Out[], In | In[]> {
  const read = (value: unknown, refuse: Refuse): Out[] => {
    const all: readonly unknown[] = Array.isArray(value) ? value : [value];
    const why = all.includes("") ? "one of them is empty" : `it must be a list of ${wanted}`;
    const list: Out[] = [];
    for (const one of all) list.push(element.read(one, () => refuse(why)));
    return list;
  };
  return optionalOr(member(read), []);
}

/** A day: hardware counts no further, and nothing else is waited for so long. */
export const longestWait = 86_400;

/** A request with any members. @throws KexecError `usage` */
export function anyMembers(request: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof request === "object" && request !== null) return { ...request };
  const received = typeof request === "string" ? `"${request}"` : String(request);
  throw cannot(`understand the ${name} request`, {
    code: "usage",
    why: `invalid type: expected object but received ${received}`,
  });
}

/** @throws KexecError `usage`, naming the first wrong member */
export function parse<M extends Members>(members: M, request: unknown, name: string): Parsed<M> {
  const given = anyMembers(request, name);
  const parsed: Record<string, unknown> = {};
  let at = "";
  const refuse = (why: string): never => {
    throw cannot(`understand the ${name} request`, { code: "usage", why: `${at}: ${why}` });
  };
  for (const [key, { read, required, otherwise }] of Object.entries(members)) {
    at = key;
    const value = given[key];
    if (value !== undefined) parsed[key] = read(value, refuse);
    else if (required) refuse("it is missing");
    else if (otherwise !== undefined) parsed[key] = otherwise;
  }
  for (at of Object.keys(given)) {
    if (!Object.hasOwn(members, at)) refuse("there is no such member");
  }
  return parsed as Parsed<M>;
}
