/** Completion for bash, which needs nothing of the bash-completion package. */
import type { Command } from "../../src/cli/arguments/define.ts";
import {
  commonOptions,
  type Flag,
  spellings,
  type Valued,
} from "../../src/cli/arguments/options.ts";
import { kexecSpellings, optionsOf, takesSource, valuesOf } from "./reference.ts";

export function bashCompletion(commands: readonly Command[]): string {
  const names = [...commands.map(({ meta }) => meta.name), "help"];
  const common = words(Object.entries(commonOptions));
  return `# bash completion for aegis-kexec
# Made by "bun run docs" from the definitions of the command line: do not edit.

_aegis_kexec() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  local command='' word options='' source=''
  # --option=value is three words here
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    if [[ $word != -* ]]; then
      command=$word
      break
    fi
  done
  COMPREPLY=()

${valueCases(commands)}
  case $command in
    '')
      options='${names.join(" ")} ${common}'
      ;;
    help)
      options='${commands.map(({ meta }) => meta.name).join(" ")}'
      ;;
${commands.map(commandCase).join("\n")}
  esac
  if [[ -n $source && $cur != -* ]]; then
    _aegis_kexec_files "$cur"
  else
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
  fi
}

_aegis_kexec_files() {
  compopt -o filenames 2>/dev/null
  mapfile -t COMPREPLY < <(compgen "\${2:--f}" -- "$1")
}

complete -F _aegis_kexec aegis-kexec

# Under the name kexec it has the options of kexec-tools
_aegis_kexec_as_kexec() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]}
  if [[ $cur == = ]]; then
    cur=''
  elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
    prev=\${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $prev in
    ${kexecSpellings
      .filter(({ value }) => value === "free")
      .map(({ spelt }) => spelt)
      .join(" | ")})
      return
      ;;
  esac
  if [[ $cur == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '${kexecSpellings.map(({ spelt }) => spelt).join(" ")}' -- "$cur")
  else
    _aegis_kexec_files "$cur"
  fi
}

complete -F _aegis_kexec_as_kexec kexec
`;
}

function commandCase(command: Command): string {
  const source = takesSource(command) ? "\n      source=yes" : "";
  return `    ${command.meta.name})\n      options='${words(optionsOf(command))}'${source}\n      ;;`;
}

/** What follows an option with a value, whatever the command. */
function valueCases(commands: readonly Command[]): string {
  const valued = new Map(
    commands
      .flatMap(optionsOf)
      .flatMap(([name, definition]) =>
        definition.type === "string" ? [[words([[name, definition]]), definition] as const] : [],
      ),
  );
  const cases = Map.groupBy(valued, ([, definition]) => action(definition));
  return [
    "  case $prev in",
    ...[...cases].map(
      ([does, group]) =>
        `    ${group.map(([spelt]) => spelt.replaceAll(" ", " | ")).join(" | ")})\n      ${does}\n      return\n      ;;`,
    ),
    "  esac",
  ].join("\n");
}

function action(definition: Valued): string {
  const values = valuesOf(definition);
  if (values.kind === "file") return '_aegis_kexec_files "$cur"';
  if (values.kind === "folder") return '_aegis_kexec_files "$cur" -d';
  if (values.kind === "free") return ":";
  const offered = `compgen -W '${values.words.join(" ")}' --`;
  if (!values.list) return `mapfile -t COMPREPLY < <(${offered} "$cur")`;
  // The words before the last comma stay
  return `local done=\${cur%"\${cur##*,}"}\n      mapfile -t COMPREPLY < <(${offered} "\${cur##*,}")\n      COMPREPLY=("\${COMPREPLY[@]/#/$done}")`;
}

function words(options: readonly (readonly [string, Flag | Valued])[]): string {
  return options.flatMap(([name, definition]) => spellings(name, definition)).join(" ");
}
