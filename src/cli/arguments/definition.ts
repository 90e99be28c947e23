/** What a definition of an option is: citty's, with what citty has no word for. */
import type { BooleanArgDef, PositionalArgDef, StringArgDef } from "citty";

/** The headings under which the help lists options, in their order. */
export const groups = [
  ["image", "What to load"],
  ["trust", "What to trust"],
  ["loading", "How to load it"],
  ["handover", "Handing over"],
  ["choice", "Options"],
  ["output", "Output and help"],
] as const;

export type Group = (typeof groups)[number][0];

/** An option without a value. */
export interface Flag extends BooleanArgDef {
  readonly type: "boolean";
  readonly description: string;
  readonly group: Group;
  /** Another spelling; one letter makes a short option. */
  readonly alias?: string;
}

/** An option with a value. */
export interface Valued extends StringArgDef {
  readonly type: "string";
  readonly description: string;
  readonly group: Group;
  readonly alias?: string;
  /** What the value is, in capitals. */
  readonly valueHint: string;
  /** It may be given more than once; the order counts. */
  readonly repeatable?: true;
  /** The value is free text: it may be empty, and may need quotes in a shell. */
  readonly freeText?: true;
  /** The value is a whole number, not negative. */
  readonly number?: true;
}

/** An argument by place. */
export interface Positional extends PositionalArgDef {
  readonly type: "positional";
  readonly description: string;
  readonly valueHint: string;
  /** Left out: it is required. */
  readonly required?: false;
  /** Every further word is one of these, too. */
  readonly repeatable?: true;
}

/** How a synopsis shows an argument by place. */
export function placeText({ valueHint, required, repeatable }: Positional): string {
  const text = repeatable === true ? `${valueHint}...` : valueHint;
  return required === false ? `[${text}]` : text;
}

export type Definition = Flag | Valued | Positional;
export type Definitions = Readonly<Record<string, Definition>>;
