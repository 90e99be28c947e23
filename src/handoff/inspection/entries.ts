/** The boot entries of a directory, in the form that `inspect` shows. */

import type { Architecture } from "../../architecture.ts";
import { KexecError } from "../../errors.ts";
import { listEntries, pickNamed } from "../../source/entries.ts";
import type { EntryReport } from "./inspection.ts";

/**
 * Every entry in the order of the specification.
 * @param id of the entry that was asked for; undefined: the default
 * @returns why they cannot be listed, as text, where they cannot
 */
export function inspectEntries(
  directory: string,
  id: string | undefined,
  architecture: Architecture,
): readonly EntryReport[] | string {
  try {
    const entries = listEntries(directory, architecture);
    const chosen =
      id === undefined
        ? entries.find(({ problem }) => problem === undefined)
        : pickNamed(entries, id);
    return entries.map((entry) => ({
      id: entry.id,
      kind: entry.kind,
      path: entry.path,
      chosen: entry.path === chosen?.path,
      title: entry.title ?? null,
      version: entry.version ?? null,
      sortKey: entry.sortKey ?? null,
      machineId: entry.machineId ?? null,
      triesLeft: entry.triesLeft ?? null,
      triesDone: entry.triesDone ?? null,
      problem: entry.problem ?? null,
    }));
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return error.message;
  }
}
