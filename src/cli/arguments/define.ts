/**
 * A command of this program: citty's, with strict arguments. citty's own parser drops what it does
 * not know, so it is never shown the user's words: the command is run here once they are parsed.
 */
import { defineCommand as cittyCommand } from "citty";
import type { Output } from "../output/output.ts";
import { Arguments, type ArgumentsOf, type Values } from "./arguments.ts";
import { commonOptions, type Definitions } from "./options.ts";
import { parse } from "./parse.ts";

/** What the help says of a command. */
export interface CommandMeta {
  readonly name: string;
  /** One line, for the list of commands and the head of the command's help. */
  readonly description: string;
  /** Further paragraphs. */
  readonly notes?: readonly string[];
  /** Command lines, each with what it is for. */
  readonly examples: readonly (readonly [line: string, purpose: string])[];
  /** The exit codes that need a word here, beside those of the program's help. */
  readonly exits?: readonly (readonly [code: number, meaning: string])[];
}

export interface Command {
  readonly meta: CommandMeta;
  /** The arguments, the common options among them. */
  readonly args: Definitions;
  /**
   * Parses the words behind the command's name.
   * @throws KexecError `usage`
   */
  prepare(argv: readonly string[]): PreparedCommand;
}

export interface PreparedCommand {
  readonly help: boolean;
  readonly version: boolean;
  run(output: Output): Promise<void>;
}

export interface CommandDefinition<D extends Definitions> {
  readonly meta: CommandMeta;
  readonly args: D;
  /** Reads the arguments, calls one function and prints its result. */
  run(given: ArgumentsOf<D>, output: Output): Promise<void>;
}

export function defineCommand<D extends Definitions>(definition: CommandDefinition<D>): Command {
  const { meta } = definition;
  const args: Definitions = { ...definition.args, ...commonOptions };
  return {
    meta,
    args,
    prepare: (argv) => {
      const values = parse(meta.name, args, argv);
      return {
        help: values.has("help"),
        version: values.has("version"),
        run: (output) => runDefinition(definition, values, output),
      };
    },
  };
}

/** Not by citty's `runCommand`, which would parse words once more: a tenth of a load's start-up. */
async function runDefinition<D extends Definitions>(
  definition: CommandDefinition<D>,
  values: Values,
  output: Output,
): Promise<void> {
  const cmd = cittyCommand({
    meta: { name: definition.meta.name, description: definition.meta.description },
    args: {},
    run: () => definition.run(new Arguments(values), output),
  });
  await cmd.run?.({ rawArgs: [], args: { _: [] }, cmd });
}
