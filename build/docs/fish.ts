/** Completion for fish: complete(1). */
import type { Command } from "../../src/cli/arguments/define.ts";
import {
  commonOptions,
  type Flag,
  spellings,
  type Valued,
} from "../../src/cli/arguments/options.ts";
import { type KexecOption, kexecSpellings, optionsOf, takesSource, valuesOf } from "./reference.ts";

export function fishCompletion(commands: readonly Command[]): string {
  const names = commands.map(({ meta }) => meta.name).join(" ");
  const lines = [
    "# fish completion for aegis-kexec",
    '# Made by "bun run docs" from the definitions of the command line: do not edit.',
    "",
    "complete -c aegis-kexec -f",
    "",
    ...commands.map(
      ({ meta }) =>
        `complete -c aegis-kexec -n __fish_use_subcommand -a ${meta.name} -d ${quoted(meta.description)}`,
    ),
    "complete -c aegis-kexec -n __fish_use_subcommand -a help -d 'print the help of a command'",
    `complete -c aegis-kexec -n '__fish_seen_subcommand_from help' -a '${names}'`,
    ...Object.entries(commonOptions).map((option) => optionLine("__fish_use_subcommand", option)),
    ...commands.flatMap(commandLines),
    "",
    "# Under the name kexec it has the options of kexec-tools",
    ...kexecSpellings.map(kexecLine),
  ];
  return `${lines.join("\n")}\n`;
}

function kexecLine({ spelt, value }: KexecOption): string {
  const option = spelt.startsWith("--") ? `-l ${spelt.slice(2)}` : `-s ${spelt.slice(1)}`;
  const taken = value === undefined ? "" : value === "file" ? " -r -F" : " -x";
  return `complete -c kexec ${option}${taken}`;
}

function commandLines(command: Command): string[] {
  const condition = `'__fish_seen_subcommand_from ${command.meta.name}'`;
  return [
    "",
    ...(takesSource(command) ? [`complete -c aegis-kexec -n ${condition} -F`] : []),
    ...optionsOf(command).map((option) => optionLine(condition, option)),
  ];
}

function optionLine(
  condition: string,
  [name, definition]: readonly [string, Flag | Valued],
): string {
  const spelt = spellings(name, definition).map((one) =>
    one.startsWith("--") ? `-l ${one.slice(2)}` : `-s ${one.slice(1)}`,
  );
  const value = definition.type === "string" ? ` ${values(definition)}` : "";
  return `complete -c aegis-kexec -n ${condition} ${spelt.join(" ")}${value} -d ${quoted(definition.description)}`;
}

function values(definition: Valued): string {
  const offered = valuesOf(definition);
  if (offered.kind === "file") return "-r -F";
  if (offered.kind === "folder") return "-x -a '(__fish_complete_directories)'";
  if (offered.kind === "free") return "-x";
  const words = offered.words.join(" ");
  return offered.list ? `-x -a '(__fish_append , ${words})'` : `-x -a '${words}'`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
