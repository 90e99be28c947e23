/** The help texts, made from the definitions. Pure: they read the same on every system. */

import { columns, WIDTH, wrap } from "../output/layout.ts";
import type { Command } from "./define.ts";
import {
  commonOptions,
  type Definition,
  type Definitions,
  type Group,
  groups,
  placeText,
  spellings,
} from "./options.ts";

/** The meaning of each exit code, as the contract states it. */
export const exitMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [0, "done"],
  [1, "a bug in aegis-kexec"],
  [2, "wrong use of its command line"],
  [3, "this system cannot: not Linux, not x86_64 or aarch64, no CONFIG_KEXEC_FILE, no JIT"],
  [
    4,
    "bad input: missing, unreadable, not a regular file, empty, malformed, command line too long",
  ],
  [5, "not trusted: the Ed25519 gate, the generation floor or the policy said no"],
  [6, "the kernel refused the image's signature"],
  [7, "not permitted: capability, kexec_load_disabled, load limit, lockdown"],
  [8, "not an image this machine can start"],
  [9, "not enough memory, or no place for it"],
  [10, "busy: another kexec operation, or a file open for writing"],
  [11, "nothing is loaded"],
  [12, "I/O failed"],
];

/** Labels of this width keep their text on the line. */
const LABEL_WIDTH = 20;

/** `aegis-kexec --help`. */
export function programHelp(commands: readonly Command[]): string[] {
  return [
    "Usage: aegis-kexec COMMAND [ARGUMENT] [OPTION]...",
    "",
    ...wrap(
      "Hand this machine over from the running kernel to another one, by kexec_file_load(2): " +
        "the way that works under lockdown and lets the kernel check signatures.",
      WIDTH,
    ),
    ...section("Commands", columns(commands.map(commandRow), LABEL_WIDTH)),
    ...section("Options of every command", optionRows(commonOptions, "output")),
    ...section("Exit codes", exitRows(exitMeanings)),
    "",
    ...wrap(
      "aegis-kexec COMMAND --help, or aegis-kexec help COMMAND, tells more of one command.",
      WIDTH,
    ),
  ];
}

/** `aegis-kexec COMMAND --help`. */
export function commandHelp(command: Command): string[] {
  const { meta, args } = command;
  const places = Object.values(args).filter((definition) => definition.type === "positional");
  const usage = places.map((place) => ` ${placeText(place)}`);
  return [
    `Usage: aegis-kexec ${meta.name}${usage.join("")} [OPTION]...`,
    "",
    ...wrap(sentence(meta.description), WIDTH),
    ...(meta.notes ?? []).flatMap((note) => ["", ...wrap(note, WIDTH)]),
    ...section(
      "Arguments",
      columns(
        places.map(({ valueHint, description }) => [valueHint, description]),
        LABEL_WIDTH,
      ),
    ),
    ...groups.flatMap(([group, title]) => section(title, optionRows(args, group))),
    ...section("Examples", meta.examples.flatMap(exampleLines)),
    ...section("Exit codes", exitRows(meta.exits ?? [])),
  ];
}

function commandRow({ meta }: Command): [string, string] {
  return [meta.name, meta.description];
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ["", `${title}:`, ...lines];
}

function optionRows(definitions: Definitions, group: Group): string[] {
  const rows = Object.entries(definitions).flatMap(([name, definition]): [string, string][] =>
    definition.type !== "positional" && definition.group === group
      ? [[optionLabel(name, definition), optionText(name, definition)]]
      : [],
  );
  return columns(rows, LABEL_WIDTH);
}

function optionLabel(
  name: string,
  definition: Exclude<Definition, { type: "positional" }>,
): string {
  const spelt = spellings(name, definition).filter((one, index) => index === 0 || one.length === 2);
  const label = spelt.toReversed().join(", ");
  return definition.type === "string" ? `${label} ${definition.valueHint}` : label;
}

/** The description, with a long alias behind it. */
function optionText(name: string, definition: Exclude<Definition, { type: "positional" }>): string {
  const others = spellings(name, definition).filter((one, index) => index > 0 && one.length > 2);
  return others.length === 0
    ? definition.description
    : `${definition.description} (also ${others.join(", ")})`;
}

/** A command line that is too long is continued as a shell would take it. */
function exampleLines([line, purpose]: readonly [string, string]): string[] {
  const lines = wrapCommand(line, WIDTH - 4 - 2);
  return [
    ...lines.map(
      (part, index) =>
        `  ${index === 0 ? "" : "  "}${part}${index < lines.length - 1 ? " \\" : ""}`,
    ),
    ...wrap(purpose, WIDTH - 6).map((part) => `      ${part}`),
  ];
}

/** Breaks a command line in front of options only, so that a quoted text stays whole. */
function wrapCommand(line: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of line.split(/ (?=--)/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + part.length <= width) {
      lines[lines.length - 1] = `${last} ${part}`;
    } else {
      lines.push(part);
    }
  }
  return lines;
}

function exitRows(rows: readonly (readonly [number, string])[]): string[] {
  return columns(rows.map(([code, meaning]) => [String(code).padStart(2), meaning]));
}

function sentence(description: string): string {
  return `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
}
