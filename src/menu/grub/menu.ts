/**
 * The menu of a GRUB configuration: the script is run, then the block of each entry, as if it were
 * chosen: grub-core/normal/menu.c. Pure: files are the host's.
 */

import type { MenuHost, MenuWrite, ReadEntry, ReadMenu } from "../host.ts";
import { costs, GrubLimit, withinMemory } from "./budget.ts";
import { chosenByDefault, fallbackOf, type Level, type Node, rest, timeoutOf } from "./choice.ts";
import { commands } from "./commands.ts";
import { largestConfig, Run } from "./run.ts";
import type { GrubStart } from "./start.ts";
import { type Defined, GrubLeave, type Loaded, type Shown } from "./state.ts";
import type { Variables } from "./variables.ts";

export { largestConfig };

/** normal/main.c: what this GRUB has; scripts ask before they use it. */
const features = [
  ...["feature_chainloader_bpb", "feature_ntldr", "feature_platform_search_hint"],
  ...["feature_default_font_path", "feature_all_video_module", "feature_menuentry_id"],
  ...["feature_menuentry_options", "feature_200_final", "feature_nativedisk_cmd"],
  ...["feature_timeout_style"],
];
const deepestMenu = 8;
/** Of an entry's names with those of its submenus: each entry below has them all. */
const longestNames = 8192;
const longestShown = 64;
const nothing = {
  entries: [],
  default: undefined,
  why: "",
  oneShot: false,
  fallback: [],
  timeout: undefined,
  writes: [],
  beyondBounds: true,
} as const;

/** Where an entry stands: the submenus around it. */
interface Around {
  readonly ids: readonly string[];
  readonly titles: readonly string[];
  readonly numbers: readonly number[];
}

/**
 * Reads the menu that a configuration makes. What cannot be evaluated is in its notes, and no entry
 * comes from a script that goes beyond its bounds.
 * @returns undefined where the configuration cannot be read
 */
export function readGrubMenu(host: MenuHost, start: GrubStart): ReadMenu | undefined {
  const { device } = start.config;
  const bytes = host.read(start.config, largestConfig + 1);
  if (bytes === undefined) return undefined;
  if (bytes.length > largestConfig) {
    // Whatever is behind the cut may set another default.
    const note = `${start.config.path} is larger than ${largestConfig} bytes: it is not evaluated`;
    return { ...nothing, notes: [note] };
  }
  const text = new TextDecoder().decode(bytes);
  // A copy of a menu on another file system names that of the original and never its own.
  const { uuid, label } = host.facts(device);
  const names = [uuid, label].filter((name) => name !== undefined && name !== "");
  const takesOwn = !names.some((name) => name !== undefined && text.includes(name));
  const run = new Run(host, start, takesOwn, commands);
  setUp(run, start);
  run.active.add(`(${device})${start.config.path}`);
  const entries: ReadEntry[] = [];
  try {
    return withinMemory(() => {
      const shown = runConfig(run, text);
      const level = list(run, shown, { ids: [], titles: [], numbers: [] }, entries);
      const { default: index, why } = chosenByDefault(level, run.environment);
      return {
        entries,
        default: index,
        why,
        oneShot: why === "next_entry in grubenv",
        fallback: fallbackOf(level),
        timeout: timeoutOf(shown.variables),
        writes: run.writes,
        notes: run.notes,
      };
    });
  } catch (error) {
    if (!(error instanceof GrubLimit)) throw error;
    const notes = [...run.notes, `${run.file}: ${error.message}: it is not evaluated further`];
    return { ...nothing, notes };
  }
}

function setUp(run: Run, { config, prefix, platform, cpu, variables = {} }: GrubStart): void {
  const folder = config.path.slice(0, config.path.lastIndexOf("/"));
  const own = prefix ?? { device: config.device, path: folder };
  const start = {
    root: own.device,
    prefix: `(${own.device})${own.path}`,
    cmdpath: `(${config.device})${folder}`,
    config_file: `(${config.device})${config.path}`,
    config_directory: `(${config.device})${folder}`,
    grub_cpu: cpu,
    grub_platform: platform,
    ...Object.fromEntries(features.map((name) => [name, "y"])),
    ...variables,
  };
  for (const [name, value] of Object.entries(start)) {
    run.variables.set(name, value);
    run.variables.export(name);
  }
}

function runConfig(run: Run, text: string): Shown {
  try {
    run.runText(text, run.start.config.path);
  } catch (error) {
    if (!(error instanceof GrubLeave)) throw error;
    if (error.shown !== undefined) return error.shown;
    run.note(undefined, `${run.file}: ${error.reason}, and shows no menu`);
    return { config: undefined, entries: [], variables: run.variables };
  }
  return { config: undefined, entries: run.menu, variables: run.variables };
}

/** Runs each block in the state that the menu leaves, and puts the entries into `entries`. */
function list(run: Run, shown: Shown, around: Around, entries: ReadEntry[]): Level {
  const { config } = shown;
  if (config !== undefined) run.active.add(config);
  const nodes = shown.entries.map((defined, number): Node => {
    const place = {
      ids: [...around.ids, defined.id],
      titles: [...around.titles, defined.title],
      numbers: [...around.numbers, number],
    };
    const { title, id } = defined;
    if ([...place.ids, ...place.titles].join("").length > longestNames) {
      // It stays in the list, a submenu too: another must not become the default in its place.
      const named = { ids: [...around.ids, cut(id)], titles: [...around.titles, cut(title)] };
      const reason = "its title or id is too long";
      entries.push(entryOf(run, defined.from, { ...place, ...named }, { ...notRun, reason }));
      return { title, id, index: entries.length - 1, below: undefined };
    }
    const outcome = runEntry(run, defined, shown.variables, place.ids);
    if (outcome.shown !== undefined && place.ids.length < deepestMenu) {
      const below = list(run, outcome.shown, place, entries);
      return { title, id, index: undefined, below };
    }
    if (defined.submenu) return { title, id, index: undefined, below: undefined };
    entries.push(entryOf(run, defined.from, place, outcome));
    return { title, id, index: entries.length - 1, below: undefined };
  });
  if (config !== undefined) run.active.delete(config);
  return { nodes, variables: shown.variables };
}

interface Outcome {
  readonly loaded: Loaded | undefined;
  readonly shown: Shown | undefined;
  readonly writes: readonly MenuWrite[];
  /** Why nothing is loaded. */
  readonly reason: string | undefined;
}

function runEntry(
  run: Run,
  defined: Defined,
  variables: Variables,
  ids: readonly string[],
): Outcome {
  const before = {
    variables: run.variables,
    functions: run.functions,
    parameters: run.parameters,
    menu: run.menu,
    writes: run.writes,
    file: run.file,
  };
  const { devices } = run;
  const { loops } = devices;
  Object.assign(run, { loops: 0, breaks: 0, continues: false, returns: false });
  // GRUB shows a submenu exported variables alone. Menus are written as if it showed all of them:
  // Fedora's live images put theirs for basic graphics there.
  run.variables = variables.fork();
  run.functions = run.functions.fork();
  run.parameters = defined.parameters;
  run.menu = [];
  run.writes = [];
  run.loaded = undefined;
  run.failed = undefined;
  run.file = defined.from.replace(/:[0-9]+$/, "");
  run.variables.set("chosen", ids.map((id) => id.replaceAll(">", ">>")).join(">"));
  run.variables.export("chosen");
  const byDefault = variables.get("default") ?? "";
  let [shown, reason]: [Shown | undefined, string | undefined] = [undefined, undefined];
  try {
    run.asEntry(() => {
      run.spend(costs.copied * loops.size + costs.parsed * byDefault.length);
      devices.loops = new Map(loops);
      run.variables.set("default", rest(byDefault));
      const { body, problem } = defined;
      if (problem !== undefined) throw new GrubLimit(problem);
      withinMemory(() =>
        typeof body === "string" ? run.runText(body, run.file) : run.runBlock(body),
      );
    });
  } catch (error) {
    if (error instanceof GrubLimit) reason = `its block cannot be evaluated: ${error.message}`;
    else if (!(error instanceof GrubLeave)) throw error;
    else if (error.shown === undefined) reason = error.reason;
    else shown = error.shown;
  }
  if (defined.submenu) {
    shown ??= { config: undefined, entries: run.menu, variables: run.variables };
  }
  devices.loops = loops;
  const outcome = { loaded: run.loaded, shown, writes: run.writes, reason: reason ?? run.failed };
  Object.assign(run, before);
  return outcome;
}

const notRun = { loaded: undefined, shown: undefined, writes: [] } as const;

/** Of a name that is too long: enough to tell it from others. */
function cut(name: string): string {
  return name.length > longestShown ? `${name.slice(0, longestShown).toWellFormed()}…` : name;
}

function entryOf(run: Run, from: string, around: Around, outcome: Outcome): ReadEntry {
  const { loaded, writes } = outcome;
  const deviceTree = loaded?.deviceTree;
  return {
    id: around.ids.map((id) => id.replaceAll(">", ">>")).join(">"),
    ownId: around.ids.at(-1) ?? "",
    title: around.titles.at(-1) ?? "",
    menus: around.titles.slice(0, -1),
    number: around.numbers.join(">"),
    from,
    kernel: loaded?.kernel,
    chained: loaded?.kind === "chained",
    initrds: loaded?.initrds ?? [],
    cmdline: cmdlineOf(loaded?.args ?? []),
    deviceTree: deviceTree === undefined ? undefined : run.devices.resolve(deviceTree),
    problem: problemOf(outcome),
    writes,
  };
}

function problemOf({ loaded, reason }: Outcome): string | undefined {
  if (loaded === undefined) return reason ?? "it loads no kernel";
  if (reason?.startsWith("its block") === true) return reason;
  return (
    loaded.problem ??
    loaded.initrdProblem ??
    (loaded.deviceTree === undefined
      ? undefined
      : `it wants a device tree (${loaded.deviceTree.path}), and kexec passes on the running one`)
  );
}

/** grub-core/lib/cmdline.c: blanks make quotation marks, and quotation marks backslashes; not `\x20`. */
function cmdlineOf(args: readonly string[]): string {
  return args
    .map((argument) =>
      argument.replace(/(\\x[0-9A-Fa-f]{2})|[\\'"]/g, (found, hex) => hex ?? `\\${found}`),
    )
    .map((argument) => (argument.includes(" ") ? `"${argument}"` : argument))
    .join(" ");
}
