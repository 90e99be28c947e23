/** Commands of GRUB that make menus: menuentry, submenu, source, configfile. Pure. */
import { parseArguments } from "./arguments.ts";
import { defineBootEntries } from "./blscfg.ts";
import type { GrubCommand, Run } from "./run.ts";
import { GrubLeave } from "./state.ts";

const entryOptions = {
  class: ["value"],
  // `--users $grub_users`, which is not set: so stand RHEL's entries for POWER, which petitboot reads.
  users: ["perhaps"],
  hotkey: ["value"],
  source: ["value"],
  id: ["value"],
  unrestricted: ["nothing"],
} as const;

const defineEntry: GrubCommand = (run, args, { line, block }, name) => {
  const parsed = parseArguments(args, entryOptions, true);
  const [title, ...more] = parsed?.rest ?? [];
  const body = block ?? parsed?.options.get("source")?.at(-1);
  if (parsed === undefined || title === undefined) return run.fail(line, `a ${name} has no title`);
  if (body === undefined) return run.fail(line, `the ${name} ${title} has no block`);
  run.define({
    title,
    id: parsed.options.get("id")?.at(-1) ?? title,
    parameters: [title, ...more],
    body,
    submenu: name === "submenu",
    from: `${run.file}:${line}`,
  });
  return 0;
};

export const configCommands: Readonly<Record<string, GrubCommand>> = {
  menuentry: defineEntry,
  submenu: defineEntry,
  source: (run, [file], { line }) => source(run, file, line),
  ".": (run, [file], { line }) => source(run, file, line),
  configfile: (run, [file], { line }) => showConfig(run, file, line),
  normal: (run, [file], { line }) =>
    showConfig(run, file ?? `${run.variables.get("prefix") ?? ""}/grub.cfg`, line),
  extract_entries_source: (run, [file], { line }) => extract(run, file, line, false),
  extract_entries_configfile: (run, [file], { line }) => extract(run, file, line, true),
  blscfg: (run, [path], { line }) => defineBootEntries(run, path, line),
  legacy_configfile: foreign,
  syslinux_configfile: foreign,
  legacy_source: foreign,
  syslinux_source: foreign,
};

function foreign(
  run: Run,
  [file = ""]: readonly string[],
  { line }: { line: number },
  name: string,
): 1 {
  return run.fail(line, `${name} ${file} is not followed: give that file as SOURCE`);
}

/** The text of a configuration and what messages call it; undefined after saying what is wrong. */
function open(run: Run, file: string | undefined, line: number) {
  if (file === undefined) {
    run.fail(line, "no file is named");
    return undefined;
  }
  const place = run.place(file);
  const text = run.readConfig(place);
  if (text !== undefined) return { text, place };
  const why = run.devices.absence(run.devices.resolve(place).device) ?? "it is not there";
  run.fail(line, `${place.path} is left out: ${why}`);
  return undefined;
}

type Opened = NonNullable<ReturnType<typeof open>>;

function runOpened(run: Run, { text, place }: Opened): number {
  const names = ["config_file", "config_directory"] as const;
  const before = names.map((name) => run.variables.get(name));
  const whole = `(${place.device})${place.path}`;
  run.variables.set("config_file", whole);
  run.variables.set("config_directory", whole.slice(0, whole.lastIndexOf("/")));
  for (const name of names) run.variables.export(name);
  const result = run.runText(text, place.path);
  for (const [index, name] of names.entries()) run.variables.set(name, before[index]);
  return result;
}

function source(run: Run, file: string | undefined, line: number): number {
  const opened = open(run, file, line);
  if (opened === undefined) return 1;
  runOpened(run, opened);
  return 0;
}

/** A menu of its own: where it has entries, GRUB shows it there and then. */
function showConfig(run: Run, file: string | undefined, line: number): number {
  const opened = open(run, file, line);
  if (opened === undefined) return 1;
  const { device, path } = run.devices.resolve(opened.place);
  const config = `(${device})${path}`;
  if (run.active.has(config)) throw new GrubLeave(`it goes back to the menu of ${path}`);
  const { variables, menu } = run;
  run.variables = variables.opened(run.spend);
  run.menu = [];
  runOpened(run, opened);
  if (run.menu.length > 0) {
    throw new GrubLeave("it shows a menu", { config, entries: run.menu, variables: run.variables });
  }
  run.variables = variables;
  run.menu = menu;
  return 0;
}

/** Entries alone: variables stay as they were. */
function extract(run: Run, file: string | undefined, line: number, exportedOnly: boolean): number {
  const opened = open(run, file, line);
  if (opened === undefined) return 1;
  const { variables } = run;
  run.variables = exportedOnly ? variables.opened(run.spend) : variables.fork();
  runOpened(run, opened);
  run.variables = variables;
  return 0;
}
