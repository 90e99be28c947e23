/**
 * The strict parser. In a boot tool a mistyped `--initrd` must never be dropped: whatever the
 * definitions do not name is refused.
 */
import { cannot, type KexecError } from "../../errors.ts";
import type { Values } from "./arguments.ts";
import { nearest } from "./nearest.ts";
import {
  type Definitions,
  type Flag,
  options,
  type Positional,
  placeText,
  spelling,
  spellings,
  type Valued,
} from "./options.ts";

/** Wrong use of the command line (exit 2). `command` is undefined before one was found. */
export function usageError(command: string | undefined, why: string, hint?: string): KexecError {
  const called = command === undefined ? "aegis-kexec" : `aegis-kexec ${command}`;
  return cannot(command === undefined ? "run" : `run ${command}`, {
    code: "usage",
    why,
    hint: hint ?? `${called} --help says what it takes`,
    // The sentence names the option as it was written.
    details: { option: /(?:^| )(-[-A-Za-z][^\s:,]*)/.exec(why)?.[1] },
  });
}

/** A word of the user's for a message: long ones are cut. */
export function quoted(word: string): string {
  return word.length > 60 ? `${word.slice(0, 57)}...` : word;
}

/**
 * Whether a word can only be meant as an option: dashes with a letter behind them and no blank, or
 * `--`. Neither `-`, which names standard input, nor `-:/run/key`, nor a negative number is one.
 */
export function looksLikeOption(word: string): boolean {
  if (!word.startsWith("-")) return false;
  return /^-[-A-Za-z]\S*$/.test(word);
}

/** The words before `--`, which ends the options. */
export function beforeEndOfOptions(argv: readonly string[]): readonly string[] {
  const end = argv.indexOf("--");
  return end < 0 ? argv : argv.slice(0, end);
}

/**
 * Parses the words behind the command's name; `command` is undefined for those in front of it.
 *
 * Values are given as `--option VALUE` or `--option=VALUE`; one that looks like an option itself
 * only by `=`. `--` ends the options. Where `--help` or `--version` is given, missing and extra
 * arguments are let through, since nothing will be run.
 * @throws KexecError `usage`
 */
export function parse(
  command: string | undefined,
  definitions: Definitions,
  argv: readonly string[],
): Values {
  const table = new OptionTable(command, definitions);
  const values = new Map<string, string[]>();
  const places: Place[] = [];
  let lastText: Known | undefined;
  let optionsEnded = false;

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at] ?? "";
    if (optionsEnded || word === "-" || !word.startsWith("-")) {
      places.push({ word, behind: lastText });
      continue;
    }
    if (word === "--") {
      optionsEnded = true;
      continue;
    }
    const equals = word.indexOf("=");
    const spelt = equals < 0 ? word : word.slice(0, equals);
    const known = table.find(spelt);
    const { name, definition } = known;
    const earlier = values.get(name);
    if (earlier !== undefined && !(definition.type === "string" && definition.repeatable)) {
      throw usageError(command, `${spelling(name)} is given twice`, `give ${spelling(name)} once`);
    }
    if (definition.type === "boolean") {
      if (equals >= 0) {
        throw usageError(command, `${spelt} takes no value`, `write ${spelt}, or leave it out`);
      }
      values.set(name, []);
      lastText = undefined;
      continue;
    }
    const value =
      equals < 0 ? separateValue(command, spelt, definition, argv[++at]) : word.slice(equals + 1);
    checkValue(command, spelt, definition, value);
    values.set(name, [...(earlier ?? []), value]);
    lastText = definition.freeText ? known : undefined;
  }

  if (!values.has("help") && !values.has("version")) takePlaces(command, table, places, values);
  return values;
}

/** The word behind an option without `=`. */
function separateValue(
  command: string | undefined,
  spelt: string,
  { valueHint }: Valued,
  next: string | undefined,
): string {
  if (next === undefined) {
    throw usageError(command, `${spelt} has no value`, `write ${spelt} ${valueHint}`);
  }
  if (looksLikeOption(next)) {
    throw usageError(
      command,
      `${spelt} has no value`,
      `write ${spelt} ${valueHint}, or ${spelt}=${spelt === "--secret" ? "…" : quoted(next)} if that is the value`,
    );
  }
  return next;
}

function checkValue(
  command: string | undefined,
  spelt: string,
  definition: Valued,
  value: string,
): void {
  if (value === "" && !definition.freeText) {
    throw usageError(
      command,
      `${spelt} has an empty value`,
      `give ${spelt} its ${definition.valueHint}, or leave it out; a shell variable may be unset`,
    );
  }
  if (definition.number && !/^(0|[1-9]\d{0,14})$/.test(value)) {
    throw usageError(
      command,
      `${spelt} is not a whole number: "${quoted(value)}"`,
      `give digits only: ${spelt} 42`,
    );
  }
}

/** A word that is no option. */
interface Place {
  readonly word: string;
  /** The free text that was the last option before it: it may be a part of that, without quotes. */
  readonly behind: Known | undefined;
}

/** Gives the words that are no options to the positional arguments. */
function takePlaces(
  command: string | undefined,
  table: OptionTable,
  places: readonly Place[],
  values: Map<string, string[]>,
): void {
  let taken = 0;
  let index = -1;
  for (const [name, definition] of table.positionals) {
    const word = places[++index]?.word;
    if (word === undefined) {
      if (definition.required === false) continue;
      throw usageError(command, `${definition.valueHint} is missing`, table.synopsis());
    }
    // What follows a free text without quotes belongs to it: no further one.
    const more = definition.repeatable === true ? places.slice(index + 1) : [];
    const words = [word];
    for (const place of more) {
      if (place.behind !== undefined) break;
      words.push(place.word);
    }
    if (words.includes("")) {
      throw usageError(
        command,
        `${definition.valueHint} is empty`,
        "give a path; a shell variable may be unset",
      );
    }
    values.set(name, words);
    taken = index + words.length;
  }
  const extra = places[taken];
  if (extra === undefined) return;
  throw usageError(
    command,
    `unexpected argument "${quoted(extra.word)}"`,
    extra.behind === undefined
      ? table.synopsis()
      : `quote a text of several words: ${spelling(extra.behind.name)} "WORD WORD"`,
  );
}

/** The name that a spelling would be of. */
function nameOf(spelt: string): string {
  return spelt.slice(spelt.startsWith("--") ? 2 : 1);
}

interface Known {
  readonly name: string;
  readonly definition: Flag | Valued;
}

/**
 * The definitions of one command. No table of all spellings is made: every load would pay for it, and
 * looks up three.
 */
class OptionTable {
  readonly positionals: readonly (readonly [name: string, definition: Positional])[];

  constructor(
    private readonly command: string | undefined,
    private readonly definitions: Definitions,
  ) {
    const positionals: [string, Positional][] = [];
    for (const name in definitions) {
      const definition = definitions[name];
      if (definition?.type === "positional") positionals.push([name, definition]);
    }
    this.positionals = positionals;
  }

  find(spelt: string): Known {
    const known = this.known(spelt);
    if (known !== undefined) return known;
    const own = Object.entries(this.definitions).flatMap(([name, definition]) =>
      definition.type === "positional" ? [] : spellings(name, definition),
    );
    const near = nearest(spelt, own);
    const elsewhere = Object.entries(options).some(([name, definition]) =>
      spellings(name, definition).includes(spelt),
    );
    if (elsewhere) {
      throw this.command === undefined
        ? usageError(
            undefined,
            `${spelt} stands in front of the command`,
            "name the command first: aegis-kexec COMMAND [options]",
          )
        : usageError(this.command, `it does not take ${spelt}, which belongs to another command`);
    }
    throw usageError(
      this.command,
      `unknown option ${quoted(spelt)}`,
      near === undefined ? undefined : `did you mean ${near}?`,
    );
  }

  private known(spelt: string): Known | undefined {
    const { definitions } = this;
    const name = nameOf(spelt);
    // Its own names only: `--__proto__` is no option.
    const named = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (named !== undefined && named.type !== "positional" && spelt === spelling(name)) {
      return { name, definition: named };
    }
    for (const other in definitions) {
      const definition = definitions[other];
      if (definition === undefined || definition.type === "positional") continue;
      if (definition.alias === name && spelt === spelling(name)) return { name: other, definition };
    }
    return undefined;
  }

  /** For hints: how the command is called. */
  synopsis(): string {
    const places = this.positionals.map(([, place]) => ` ${placeText(place)}`);
    return `use it as: aegis-kexec ${this.command ?? "COMMAND"}${places.join("")} [options]`;
  }
}
