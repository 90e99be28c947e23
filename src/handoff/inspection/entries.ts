/** The entries of a menu, in the form that `inspect` shows. */

import { KexecError } from "../../errors.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import type { MenuReading } from "../../source/choose.ts";
import type { ListedEntry } from "../../source/entry/entries.ts";
import type { EntryReport } from "./inspection.ts";

/**
 * Every entry in the menu's order.
 * @param wanted What `--entry` names; undefined: the default.
 * @returns why they cannot be listed, as text, where they cannot
 */
export async function inspectEntries(
  menu: MenuReading,
  wanted: string | undefined,
): Promise<readonly EntryReport[] | string> {
  try {
    const { entries, why } = await menu.list();
    const chosen = await chosenOf(menu, wanted);
    return entries.map((entry) => reportOf(entry, chosen, why ?? null));
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return error.message;
  }
}

/** None is chosen where the choice is refused: the load that is not made says why. */
async function chosenOf(
  menu: MenuReading,
  wanted: string | undefined,
): Promise<MenuEntry | undefined> {
  try {
    return await menu.choose(wanted);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return undefined;
  }
}

/** Those of the Boot Loader Specification have more to say. */
function reportOf(
  entry: MenuEntry & Partial<ListedEntry>,
  chosen: MenuEntry | undefined,
  why: string | null,
): EntryReport {
  return {
    id: entry.id,
    kind: entry.kind ?? "entry",
    path: entry.path ?? entry.from,
    chosen: entry.from === chosen?.from && entry.id === chosen.id,
    title: entry.title ?? null,
    version: entry.version ?? null,
    sortKey: entry.sortKey ?? null,
    machineId: entry.machineId ?? null,
    triesLeft: entry.triesLeft ?? null,
    triesDone: entry.triesDone ?? null,
    problem: entry.problem ?? null,
    kernel: entry.kernel ?? null,
    initrds: entry.initrds,
    cmdline: entry.cmdline ?? null,
    default: entry.default,
    why: entry.default ? why : null,
    from: entry.from,
  };
}
