/** What was given on the command line, typed by the definitions that it was parsed with. */
import type { Definitions } from "./options.ts";

/** The names in `D` whose definition is an `F`. */
type NamesOf<D extends Definitions, F> = Extract<
  { [K in keyof D]: D[K] extends F ? K : never }[keyof D],
  string
>;

type FlagName<D extends Definitions> = NamesOf<D, { readonly type: "boolean" }>;
type ListName<D extends Definitions> = NamesOf<
  D,
  { readonly type: "string"; readonly repeatable: true }
>;
type TextName<D extends Definitions> = Exclude<
  NamesOf<D, { readonly type: "string" }>,
  ListName<D>
>;
type PlaceName<D extends Definitions> = NamesOf<D, { readonly type: "positional" }>;

/** The arguments of a command with the definitions `D`; they serve for any part of `D` too. */
export type ArgumentsOf<D extends Definitions> = Arguments<
  FlagName<D>,
  TextName<D>,
  ListName<D>,
  PlaceName<D>
>;

/** The values of each option and positional that was given; a flag has none. */
export type Values = ReadonlyMap<string, readonly string[]>;

/** Reads values by the names of its flags, single texts, lists and positionals. */
export class Arguments<
  in Flag extends string,
  in Text extends string,
  in List extends string,
  in Place extends string,
> {
  constructor(private readonly values: Values) {}

  flag(name: Flag): boolean {
    return this.values.has(name);
  }

  /** The value of an option that may be given once. */
  text(name: Text): string | undefined {
    return this.values.get(name)?.[0];
  }

  /** The values of a repeatable option, in the order given. */
  list(name: List): readonly string[] {
    return this.values.get(name) ?? [];
  }

  /** A positional argument that is required: the parser has seen to it. */
  positional(name: Place): string {
    const [value] = this.positionals(name);
    if (value === undefined) throw new TypeError(`${name} was not parsed`);
    return value;
  }

  /** As `positional`, where it may be repeated. */
  positionals(name: Place): readonly string[] {
    return this.values.get(name) ?? [];
  }
}
