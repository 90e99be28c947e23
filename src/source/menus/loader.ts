/** Which boot entry its loader takes: systemd-boot by loader.conf and EFI variables, GRUB by grubenv. */
import { KexecError } from "../../errors.ts";
import { readLoaderVariable } from "../../linux/device/efi-variables.ts";
import {
  chooseByLoader,
  type LoaderVariables,
  largestLoaderConf,
  readLoaderConf,
} from "../../menu/loader-conf.ts";
import { environmentPaths } from "../entry/variables.ts";
import type { Afterwards, FileTree } from "../kind.ts";
import {
  canChangeVariables,
  canWrite,
  deleteVariable,
  readEnvironment,
  setVariable,
  writeEnvironment,
} from "./afterwards.ts";
import type { Located } from "./tree-host.ts";

/** An entry as a loader chooses it. */
export interface Choosable {
  /** With its suffix. */
  readonly id: string;
  readonly title: string | undefined;
  readonly triesLeft: number | undefined;
  readonly problem: string | undefined;
}

export interface LoaderDefault {
  /** Undefined: nothing names one, and the first that can be booted is taken. */
  readonly index: number | undefined;
  readonly why: string | undefined;
  /** What the loader writes when it starts its default. */
  readonly afterwards: readonly Afterwards[];
}

const confFile = "loader/loader.conf";

/** @param warnings Gets what is not followed, and why. */
export function loaderDefault(
  root: FileTree,
  entries: readonly Choosable[],
  warnings: string[],
): LoaderDefault {
  const text = readConf(root, warnings);
  const conf = readLoaderConf(text ?? "");
  const variables = lastingVariables(entries, warnings);
  const choice = chooseByLoader(entries, conf, variables);
  for (const missed of choice.missed) {
    warnings.push(`${root.path}: ${missed} names no boot entry: the order of the menu counts`);
  }
  if (choice.index === undefined && text === undefined) {
    const byGrub = grubDefault(root, entries, warnings);
    if (byGrub !== undefined) return byGrub;
  }
  const afterwards = choice.takesOneShot ? [deleteVariable("LoaderEntryOneShot")] : [];
  const isSaved = conf.default === "@saved" || variables.default?.toLowerCase() === "@saved";
  // Where nothing was saved yet it is the first: its id is what begins it.
  const taken =
    choice.index === undefined
      ? entries.find(({ problem }) => problem === undefined)
      : entries[choice.index];
  const id = taken?.id;
  // save_selected_entry of systemd-boot: not what is booted once.
  const saves = isSaved && !choice.takesOneShot && id !== undefined && id !== variables.lastBooted;
  if (saves && canChangeVariables()) {
    afterwards.push(setVariable("LoaderEntryLastBooted", id));
  }
  return { index: choice.index, why: choice.why, afterwards };
}

/** A one-shot is one if it can be taken back; what it names stays for the loader where it cannot start here. */
function lastingVariables(entries: readonly Choosable[], warnings: string[]): LoaderVariables {
  const variables = {
    oneShot: readLoaderVariable("LoaderEntryOneShot"),
    preferred: readLoaderVariable("LoaderEntryPreferred"),
    default: readLoaderVariable("LoaderEntryDefault"),
    lastBooted: readLoaderVariable("LoaderEntryLastBooted"),
  };
  const { oneShot } = variables;
  if (oneShot === undefined) return variables;
  const none = readLoaderConf("");
  const { index } = chooseByLoader(entries, none, { oneShot });
  if (index === undefined) return variables;
  const why =
    entries[index]?.problem ??
    (canChangeVariables() ? undefined : "EFI variables cannot be changed here");
  if (why === undefined) return variables;
  warnings.push(`LoaderEntryOneShot (${oneShot}) is left alone: ${why}`);
  return { ...variables, oneShot: undefined };
}

/** Fedora's entries are GRUB's, and what it takes is in its environment block. */
function grubDefault(
  root: FileTree,
  entries: readonly Choosable[],
  warnings: string[],
): LoaderDefault | undefined {
  for (const path of environmentPaths(root)) {
    const values = valuesOf(root, path);
    if (values === undefined) continue;
    const located: Located = { tree: root, path, size: 0 };
    const next = indexOf(entries, values.get("next_entry"));
    if (next !== undefined) {
      const why =
        entries[next]?.problem ??
        (canWrite(located) ? undefined : "grubenv cannot be written here");
      const variables = new Map([["next_entry", ""]]);
      if (why === undefined) {
        const afterwards = [writeEnvironment(located, { variables })];
        return { index: next, why: "next_entry in grubenv", afterwards };
      }
      warnings.push(`next_entry in grubenv (${entries[next]?.id}) is left alone: ${why}`);
    }
    const saved = indexOf(entries, values.get("saved_entry"));
    if (saved === undefined) return undefined;
    return { index: saved, why: "saved_entry in grubenv", afterwards: [] };
  }
  return undefined;
}

/** By id without its suffix, as blscfg calls entries, by title, or by number. */
function indexOf(entries: readonly Choosable[], value: string | undefined): number | undefined {
  if (value === undefined || value === "") return undefined;
  const index = entries.findIndex(
    ({ id, title }) => id.replace(/\.conf$/, "") === value || id === value || title === value,
  );
  if (index >= 0) return index;
  return /^[0-9]{1,9}$/.test(value) && Number(value) < entries.length ? Number(value) : undefined;
}

function valuesOf(root: FileTree, path: string): ReadonlyMap<string, string> | undefined {
  return orUndefined(() => readEnvironment(root, path));
}

/** Undefined where there is none. */
function readConf(root: FileTree, warnings: string[]): string | undefined {
  try {
    using file = root.open(confFile, "loader.conf");
    return new TextDecoder().decode(file.read(0, Math.min(file.size, largestLoaderConf)));
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    if (error.code === "file-not-found") return undefined;
    if (error.code !== "file-empty") warnings.push(`loader.conf is not followed: ${error.message}`);
    return "";
  }
}

function orUndefined<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}
