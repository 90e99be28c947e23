/** What manual page and completions say alike, read from the definitions that the help is made of. */
import type { Command } from "../../src/cli/arguments/define.ts";
import type { Positional } from "../../src/cli/arguments/definition.ts";
import {
  type Flag,
  type Group,
  options,
  spelling,
  type Valued,
} from "../../src/cli/arguments/options.ts";
import { isTaken, kexecOptions } from "../../src/cli/kexec/options.ts";
import { failureActions, quiesceClasses } from "../../src/handoff/option-values.ts";

/** An option, and the commands that take it with this meaning. */
export interface OptionUse {
  readonly name: string;
  readonly definition: Flag | Valued;
  readonly commands: readonly string[];
}

/** What a shell can offer as the value of an option. */
export type Values =
  | { readonly kind: "file" }
  | { readonly kind: "folder" }
  | { readonly kind: "words"; readonly words: readonly string[]; readonly list: boolean }
  | { readonly kind: "free" };

/** An option of kexec-tools that is taken here, under the name `kexec`. */
export interface KexecOption {
  /** With its dashes: `-l`, `--load`. */
  readonly spelt: string;
  readonly value: "file" | "free" | undefined;
}

export const kexecSpellings: readonly KexecOption[] = kexecOptions("x86_64").flatMap(
  ({ name, id, takesValue }) => {
    // Shells would take a question mark for a pattern
    if (!isTaken(id) || name === "?") return [];
    const isFile = "does" in id && id.does === "initrd";
    const value = !takesValue ? undefined : isFile ? "file" : "free";
    return { spelt: spelling(name), value } as const;
  },
);

/** The options of one command. */
export function optionsOf(command: Command): [name: string, definition: Flag | Valued][] {
  return Object.entries(command.args).flatMap(([name, definition]): [string, Flag | Valued][] =>
    definition.type === "positional" ? [] : [[name, definition]],
  );
}

/** Whether the command takes SOURCE. */
export function takesSource(command: Command): boolean {
  return placesOf(command).length > 0;
}

/** The arguments by place of one command, in their order. */
export function placesOf(command: Command): readonly Positional[] {
  return Object.values(command.args).flatMap((definition): Positional[] =>
    definition.type === "positional" ? [definition] : [],
  );
}

/** The options of a group, each once for each meaning, in the order in which they are defined. */
export function usesOf(commands: readonly Command[], group: Group): OptionUse[] {
  const uses = new Map<Flag | Valued, { name: string; commands: string[] }>();
  for (const command of commands) {
    for (const [name, definition] of optionsOf(command)) {
      if (definition.group !== group) continue;
      const use = uses.get(definition) ?? { name, commands: [] };
      use.commands.push(command.meta.name);
      uses.set(definition, use);
    }
  }
  const order = Object.keys(options);
  return [...uses]
    .map(([definition, use]) => ({ ...use, definition }))
    .sort((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/** @throws Error for a kind of value that nobody has thought about. */
export function valuesOf(definition: Valued): Values {
  switch (definition.valueHint) {
    case "PATH":
    case "FILE":
    case "KEY":
    case "SRC:DEST":
      return { kind: "file" };
    case "ACTION":
      return { kind: "words", words: failureActions, list: false };
    case "LIST":
      return { kind: "words", words: quiesceClasses, list: true };
    case "json":
      return { kind: "words", words: ["json"], list: false };
    case "auto|ADDRESS":
      return { kind: "words", words: ["auto"], list: false };
    case "DIR":
      return { kind: "folder" };
    case "ID":
    case "N":
    case "PCR":
    case "DEST":
    case "UUID=SRC":
    case "SECONDS":
    case "TEXT":
      return { kind: "free" };
    default:
      throw new Error(`say in reference.ts what a shell offers for ${definition.valueHint}`);
  }
}
