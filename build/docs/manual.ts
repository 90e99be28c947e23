/** The manual page, in the mdoc language: mdoc(7). */
import { causes } from "../../src/causes.ts";
import type { Command } from "../../src/cli/arguments/define.ts";
import type { Positional } from "../../src/cli/arguments/definition.ts";
import { exitMeanings } from "../../src/cli/arguments/help.ts";
import { type Flag, groups, spellings, type Valued } from "../../src/cli/arguments/options.ts";
import { kindsOfSource } from "../../src/cli/arguments/positionals.ts";
import { wrap } from "../../src/cli/output/layout.ts";
import { errorCodes } from "../../src/errors.ts";
import { type OptionUse, placesOf, usesOf } from "./reference.ts";

export interface Release {
  readonly version: string;
  /** As mdoc writes it: `November 3, 2026`. */
  readonly date: string;
}

/** The text of aegis-kexec(8). */
export function manual(commands: readonly Command[], release: Release): string {
  const lines = [
    `.\\" aegis-kexec ${release.version}`,
    '.\\" Made by "bun run docs" from the definitions of the command line: do not edit.',
    `.Dd ${release.date}`,
    // groff 1.22 puts this in front of the volume's name, and says BSD without it: its mdoc/doc-common
    ".ds doc-volume-operating-system Linux",
    ".Dt AEGIS-KEXEC 8",
    `.Os "aegis-kexec ${release.version}"`,
    ".Sh NAME",
    ".Nm aegis-kexec",
    ".Nd verify a kernel, load it, and hand this machine over to it",
    ".Sh SYNOPSIS",
    ...commands.flatMap(synopsis),
    ".Nm",
    ".Cm help",
    ".Op Ar COMMAND",
    ".Sh DESCRIPTION",
    ...description,
    ".Sh COMMANDS",
    ".Bl -tag -width Ds",
    ...commands.flatMap(commandItem),
    ".El",
    ".Sh OPTIONS",
    ...prose(
      "Unknown, misspelt, repeated or empty options are refused with the nearest right name. " +
        "Only an option that is called repeatable may be given more than once.",
    ),
    ...groups.flatMap(([group, title]) => optionSection(title, usesOf(commands, group), commands)),
    ".Sh FILES",
    ".Bl -tag -width Ds",
    ".It Pa /etc/aegis-kexec/policy.json",
    ...prose(
      "The policy. Where it exists it always applies, and options can only tighten it. " +
        "One that cannot be read or parsed stops everything. It is JSON, with these members:",
    ),
    ".Bl -tag -width Ds",
    ...policyMembers.flatMap(([name, meaning]) => [`.It Sy ${name}`, ...prose(meaning)]),
    ".El",
    ".El",
    ".Sh AS THE FIRST PROCESS",
    ...prose(
      "Started as process 1, by rdinit=/sbin/aegis-kexec on the kernel command line, it mounts what it needs and takes " +
        "its arguments from behind the two dashes there. What fails is left on the console for 10 seconds; then the machine " +
        "reboots through firmware.",
    ),
    ".Sh EXIT STATUS",
    ".Bl -tag -width Ds",
    ...exitMeanings.flatMap(([code, meaning]) => [`.It ${code}`, ...prose(meaning)]),
    ".El",
    ".Sh EXAMPLES",
    ...commands.flatMap(({ meta }) => meta.examples).flatMap(example),
    ".Sh DIAGNOSTICS",
    ...prose(
      "A failure prints one line that says what failed and why, the lines that the kernel logged " +
        "about it, and a hint. With --json its code is one of these words, here with the exit " +
        "status, the cause and the cure:",
    ),
    ".Bl -tag -width Ds",
    ...Object.entries(causes).flatMap(([code, { cause, cure }]) => [
      `.It Sy ${code} Pq ${exitOf(code)}`,
      ...prose(`${capital(cause)}. ${capital(cure)}.`),
    ]),
    ".El",
    ".Sh SEE ALSO",
    ".Xr systemctl 1 ,",
    ".Xr kexec_file_load 2 ,",
    ".Xr reboot 2 ,",
    ".Xr kernel_lockdown 7",
    ".Sh CAVEATS",
    ...caveats,
  ];
  return `${lines.join("\n")}\n`;
}

const policyMembers = [
  ["trust", "paths of the public keys, at least one"],
  ["threshold", "how many of the keys must have signed; 1 without it"],
  ["minGeneration", "a manifest with a lower generation is refused"],
  ["allowAppend", "words, or their beginnings up to the equals sign, that --append may add"],
  ["allowSecret", "places below which --secret, --luks and --measure-log may put a file"],
  ["fileSystems", "types of file systems that may be mounted to read a source"],
  ["measure", "pcr, and whether it is required: what is measured into a TPM before the jump"],
] as const;

const description = [
  ".Nm",
  "takes a kernel, its initramfs archives and a command line, makes sure that",
  "they are what they should be, loads them by",
  ".Xr kexec_file_load 2",
  "and jumps into them by",
  ".Xr reboot 2 .",
  ".Fn kexec_load",
  "is never used.",
  "A load that fails is never followed by a handover.",
  ".Pp",
  ".Ar SOURCE",
  ...prose(
    `is recognised by its content: ${kindsOfSource}. It may be on a disk that need not be mounted, or a URL.`,
  ),
  ".Pp",
  "Results go to standard output, everything else to standard error.",
  ".Pp",
  "Called as",
  ".Nm kexec ,",
  "by a link or a copy, it takes the options of kexec-tools instead;",
  ".Ql kexec --help",
  "lists them.",
];

const caveats = [
  "Kernel and initramfs are held twice in memory while they are loaded.",
  ".Pp",
  ".Pa /proc",
  "must be mounted, or the runtime aborts before the program starts;",
  "as the first process the program mounts it itself.",
];

function synopsis(command: Command): string[] {
  return [
    ".Nm",
    `.Cm ${command.meta.name}`,
    ...placesOf(command).map((place) => `.${placeMacro(place)}`),
    ".Op Ar OPTION ...",
  ];
}

/** `Ar SOURCE ...`, `Op Ar PATH`. */
function placeMacro({ valueHint, required, repeatable }: Positional): string {
  const place = `Ar ${valueHint}${repeatable === true ? " ..." : ""}`;
  return required === false ? `Op ${place}` : place;
}

function commandItem(command: Command): string[] {
  const { name, notes = [], exits = [] } = command.meta;
  return [
    [`.It Cm ${name}`, ...placesOf(command).map(placeMacro)].join(" "),
    ...prose(`${capital(command.meta.description)}.`),
    ...notes.flatMap((note) => [".Pp", ...prose(note)]),
    ...exits.flatMap(([code, meaning]) => [".Pp", ...prose(`Exit status ${code}: ${meaning}.`)]),
  ];
}

function optionSection(
  title: string,
  uses: readonly OptionUse[],
  commands: readonly Command[],
): string[] {
  if (uses.length === 0) return [];
  const items = uses.flatMap(({ name, definition, commands: takers }) => [
    `.It ${optionLabel(name, definition)}`,
    ...prose(`${capital(definition.description)}.`),
    ...(takers.length === commands.length
      ? []
      : [
          "Taken by",
          ...takers.map((taker, at) => `.Cm ${taker} ${at < takers.length - 1 ? "," : "."}`),
        ]),
  ]);
  return [`.Ss ${title}`, ".Bl -tag -width Ds", ...items, ".El"];
}

function optionLabel(name: string, definition: Flag | Valued): string {
  const value = definition.type === "string" ? ` Ar ${definition.valueHint}` : "";
  return spellings(name, definition)
    .map((spelt) => `Fl ${spelt.slice(1)}${value}`)
    .join(" , ");
}

function example([line, purpose]: readonly [string, string], index: number): string[] {
  return [
    ...(index === 0 ? [] : [".Pp"]),
    ...prose(`${capital(purpose)}:`),
    ".Pp",
    `.Dl ${escaped(line).replaceAll('"', "\\(dq")}`,
  ];
}

/** Text, with each sentence on lines of its own, as the language wants it. */
function prose(text: string): string[] {
  return text
    .replace(/`([^`]*)`/g, '"$1"')
    .split(/(?<=[A-Za-z0-9)"][.?]) (?=\S)/)
    .flatMap((sentence) => wrap(escaped(sentence), 78))
    .map((line) => (/^[.']/.test(line) ? `\\&${line}` : line));
}

/** A dash of two or of a word is the ASCII one, which people copy into a shell. */
function escaped(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replace(/(?<![A-Za-z0-9])--?(?=[a-z])/g, (dashes) => dashes.replaceAll("-", "\\-"));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function exitOf(code: string): number {
  for (const [known, exit] of Object.entries(errorCodes)) if (known === code) return exit;
  throw new Error(`no exit code for ${code}`);
}
