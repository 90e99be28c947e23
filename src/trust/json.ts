/**
 * A JSON reader (RFC 8259) for what is signed or measured: one text has one
 * meaning. `JSON.parse` keeps the last of two equal keys where another reader
 * keeps the first, and gives `__proto__` and fractions a life of their own.
 */

import { decodeUtf8 } from "./text.ts";

export type Json = null | boolean | number | string | Json[] | JsonObject;

/** Without a prototype, so that `in` sees the keys of the text alone. */
export interface JsonObject {
  [key: string]: Json;
}

/** What a text holds, and every rule that it breaks. A value with problems is for display alone. */
export interface ParsedJson {
  /** Undefined where the text could not be read to its end. */
  readonly value: Json | undefined;
  /** One line each, with the place. */
  readonly problems: readonly string[];
}

/** Problems that are listed; the rest says nothing new. */
export const maxProblems = 32;

/** Nested arrays and objects; the formats here need 3. */
const maxDepth = 8;

class SyntaxProblem extends Error {}

/** A value, or every reason why there is none: at least one, at most `maxProblems`. */
export type Checked<T> =
  | { readonly value: T; readonly problems: readonly [] }
  | { readonly value: undefined; readonly problems: readonly string[] };

/** Reads UTF-8 bytes. Time and memory are bounded by `maxBytes`; nothing is thrown. */
export function parseJson(bytes: Uint8Array, maxBytes: number): ParsedJson {
  const failed = (problem: string): ParsedJson => ({ value: undefined, problems: [problem] });
  if (bytes.length > maxBytes) return failed(`larger than ${maxBytes} bytes`);
  const text = decodeUtf8(bytes);
  if (text === undefined) return failed("not valid UTF-8");
  if (text.startsWith("\ufeff")) return failed("starts with a byte order mark");
  const reader = new Reader(text);
  try {
    return { value: reader.document(), problems: reader.problems };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { value: undefined, problems: [...reader.problems, error.message] };
  }
}

/**
 * The value of bytes that are the one text which JSON.stringify makes of it with an indent of two, and a line end;
 * undefined for all others. Such a text has no key twice and no second spelling of a number, so that the runtime's
 * own reader, which takes a tenth of the time, reads what `parseJson` would; what is no whole number is left in.
 */
export function parseCanonical(bytes: Uint8Array, maxBytes: number): Json | undefined {
  const text = bytes.length > maxBytes ? undefined : decodeUtf8(bytes);
  // Of escapes by number one could be half a surrogate pair.
  if (text === undefined || text.includes("\\u") || opensMany(text)) return undefined;
  try {
    const value: Json = JSON.parse(text);
    return `${JSON.stringify(value, undefined, 2)}\n` === text ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Objects and lists of a text that is written anew to compare: each that lies in another adds an indent to all in it. */
const mostOpened = 256;

function opensMany(text: string): boolean {
  let count = 0;
  for (const sign of ["{", "["]) {
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1)) {
      count += 1;
      if (count > mostOpened) return true;
    }
  }
  return false;
}

/** Where a value stands: its text is made where something is wrong there. */
export interface Place {
  readonly above: Place | undefined;
  readonly key: string | number;
}

/** The text of a place; of the whole it is empty. */
export function pathOf(place: Place | undefined): string {
  return place === undefined ? "" : pathTo(pathOf(place.above), place.key);
}

/** `key` below `path`: `kernel.path`, `initrds[0]`. Keys that are no plain word are quoted. */
export function pathTo(path: string, key: string | number): string {
  if (typeof key === "number") return `${path}[${key}]`;
  const word = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(key) ? key : quoted(key);
  return path === "" ? word : `${path}.${word}`;
}

/** A string from the text, safe for a terminal and short. */
function quoted(text: string): string {
  const short = text.length > 64 ? `${text.slice(0, 64)}…` : text;
  return JSON.stringify(short).replace(/[^ -~…]/g, "?");
}

class Reader {
  readonly problems: string[] = [];
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  document(): Json {
    const value = this.#value(undefined, 0);
    if (this.#at < this.#text.length) throw this.#broken("text after the end");
    return value;
  }

  #broken(what: string): SyntaxProblem {
    const line = this.#text.slice(0, this.#at).split("\n").length;
    return new SyntaxProblem(`not JSON: line ${line}: ${what}`);
  }

  /** Next character that is not white space, or "" at the end. */
  #peek(): string {
    while (" \t\n\r".includes(this.#text[this.#at] ?? "?")) this.#at += 1;
    return this.#text[this.#at] ?? "";
  }

  #take(character: string): boolean {
    if (this.#peek() !== character) return false;
    this.#at += 1;
    return true;
  }

  #expect(character: string): void {
    if (this.#take(character)) return;
    if (this.#peek() === "") throw this.#broken("it ends too early");
    throw this.#broken(`expected ${character}`);
  }

  #value(place: Place | undefined, depth: number): Json {
    const next = this.#peek();
    const value = this.#valueAt(next, place, depth);
    this.#peek();
    return value;
  }

  #valueAt(next: string, place: Place | undefined, depth: number): Json {
    if (next === "{" || next === "[") {
      if (depth >= maxDepth) throw this.#broken(`nested deeper than ${maxDepth}`);
      this.#at += 1;
      return next === "{" ? this.#object(place, depth + 1) : this.#array(place, depth + 1);
    }
    if (next === '"') return this.#string();
    if (next === "") throw this.#broken("it ends too early");
    const word = this.#match(/true|false|null/y);
    if (word !== undefined) return word === "null" ? null : word === "true";
    return this.#number();
  }

  #object(above: Place | undefined, depth: number): JsonObject {
    const object: JsonObject = Object.create(null);
    if (this.#take("}")) return object;
    do {
      if (this.#peek() !== '"') throw this.#broken("expected a key");
      const key = this.#string();
      const place = { above, key };
      this.#expect(":");
      const value = this.#value(place, depth);
      if (!(key in object)) object[key] = value;
      else if (this.problems.length < maxProblems)
        this.problems.push(`${pathOf(place)}: duplicate key`);
    } while (this.#take(","));
    this.#expect("}");
    return object;
  }

  #array(above: Place | undefined, depth: number): Json[] {
    const array: Json[] = [];
    if (this.#take("]")) return array;
    do array.push(this.#value({ above, key: array.length }, depth));
    while (this.#take(","));
    this.#expect("]");
    return array;
  }

  /** Whole numbers alone: 1.0, 1e2 and -0 are second spellings. */
  #number(): number {
    const digits = this.#match(/0|-?[1-9][0-9]*/y);
    if (digits === undefined) throw this.#broken("expected a value");
    if (/[.eE]/.test(this.#text[this.#at] ?? "")) throw this.#broken("not a whole number");
    return Number(digits);
  }

  #string(): string {
    this.#at += 1;
    let value = "";
    for (;;) {
      value += this.#match(/[^"\\\u0000-\u001f]+/y) ?? "";
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next === undefined) throw this.#broken("it ends inside a string");
      if (next !== "\\") throw this.#broken("a control character in a string");
      value += this.#escape();
    }
    this.#at += 1;
    // A lone surrogate has no UTF-8 form: the string would not be the one that is used.
    if (!value.isWellFormed()) throw this.#broken("half a surrogate pair in a string");
    return value;
  }

  #escape(): string {
    const sequence = this.#match(/\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4})/y);
    if (sequence === undefined) throw this.#broken("an unknown escape in a string");
    const letter = sequence.charAt(1);
    if (letter === "u") return String.fromCharCode(Number.parseInt(sequence.slice(2), 16));
    const position = "bfnrt".indexOf(letter);
    return position < 0 ? letter : "\b\f\n\r\t".charAt(position);
  }

  /** Takes what a sticky pattern matches here. */
  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text)?.[0];
    this.#at += match?.length ?? 0;
    return match;
  }
}
