/** Completion for zsh: the specifications that its _arguments(1) takes, zshcompsys(1). */
import type { Command } from "../../src/cli/arguments/define.ts";
import {
  commonOptions,
  type Flag,
  spellings,
  type Valued,
} from "../../src/cli/arguments/options.ts";
import { type KexecOption, kexecSpellings, optionsOf, placesOf, valuesOf } from "./reference.ts";

export function zshCompletion(commands: readonly Command[]): string {
  return `#compdef aegis-kexec kexec
# Made by "bun run docs" from the definitions of the command line: do not edit.

_aegis-kexec() {
  local curcontext="$curcontext" state line ret=1
  local -a commands
  commands=(
${commands.map(({ meta }) => `    ${quoted(`${meta.name}:${meta.description.replaceAll(":", "\\:")}`)}`).join("\n")}
    'help:print the help of a command'
  )
  _arguments -C \\
${Object.entries(commonOptions).flatMap(specifications).map(line).join("\n")}
    '1: :->command' \\
    '*:: :->arguments' && ret=0
  case $state in
    command)
      _describe -t commands command commands && ret=0
      ;;
    arguments)
      curcontext="\${curcontext%:*}-$words[1]:"
      case $words[1] in
${commands.map(commandCase).join("\n")}
        help)
          _describe -t commands command commands && ret=0
          ;;
      esac
      ;;
  esac
  return ret
}

# Under the name kexec it has the options of kexec-tools
_aegis-kexec-as-kexec() {
  _arguments -s -S \\
${kexecSpellings.map(kexecSpecification).map(line).join("\n")}
    '1:kernel:_files'
}

if [[ $service == kexec ]]; then
  _aegis-kexec-as-kexec "$@"
else
  _aegis-kexec "$@"
fi
`;
}

function commandCase(command: Command): string {
  const places = placesOf(command).map(
    ({ valueHint, repeatable = false, required = true }, index) =>
      quoted(
        `${repeatable ? "*" : index + 1}:${required ? "" : ":"}${valueHint.toLowerCase()}:_files`,
      ),
  );
  const all = [...optionsOf(command).flatMap(specifications), ...places];
  const lines = all.map((one) => `            ${one}`).join(" \\\n");
  return `        ${command.meta.name})\n          _arguments -S \\\n${lines} && ret=0\n          ;;`;
}

function kexecSpecification({ spelt, value }: KexecOption): string {
  if (value === undefined) return quoted(spelt);
  const sign = spelt.startsWith("--") ? "=" : "+";
  return quoted(`${spelt}${sign}:value:${value === "file" ? "_files" : " "}`);
}

function line(specification: string): string {
  return `    ${specification} \\`;
}

function specifications([name, definition]: readonly [string, Flag | Valued]): string[] {
  const all = spellings(name, definition);
  const repeatable = definition.type === "string" && definition.repeatable === true;
  const description = definition.description.replace(/[[\]:\\]/g, "\\$&");
  return all.map((spelt) => {
    const head = repeatable ? `*${spelt}` : `(${all.join(" ")})${spelt}`;
    if (definition.type === "boolean") return quoted(`${head}[${description}]`);
    const hint = definition.valueHint.replaceAll(":", "\\:");
    // `=` behind the name: the value is the next word, or stands behind the sign
    return quoted(`${head}=[${description}]:${hint}:${values(definition)}`);
  });
}

function values(definition: Valued): string {
  const offered = valuesOf(definition);
  if (offered.kind === "file") return "_files";
  if (offered.kind === "folder") return "_files -/";
  if (offered.kind === "free") return " ";
  const words = offered.words.join(" ");
  return offered.list ? `_sequence compadd - ${words}` : `(${words})`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
