/** The generations of a store, one by one: read, judged, and where the next system finds them. */

import { cannot, KexecError } from "../../errors.ts";
import { sha256Of } from "../../image/bytes.ts";
import { readText } from "../../linux/descriptor.ts";
import type { Listener } from "../../listener.ts";
import { fromPlaceIn } from "../../menu/counting.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { compareGenerations, type StoredName, storedNames } from "../../menu/generations.ts";
import { compareVersions } from "../../menu/version-order.ts";
import { maxManifestSize, parseManifest } from "../../trust/manifest.ts";
import { besideIn } from "../beside.ts";
import type { FileTree, FoundFile, Opening } from "../kind.ts";
import { manifestReader } from "../manifest.ts";
import { lastingPlace } from "../menus/mounted.ts";
import { beginningOf } from "../open-file.ts";

/** Names in the folder of a generation. */
export const mostNames = 4096;
/** Names in a store, whatever else lies there. */
export const mostStoreNames = 65_536;
/** Generations that are looked at: a store keeps a few. */
const mostGenerations = 256;
/** Names in all folders of a store together. */
const mostLookedAt = mostGenerations * mostNames;
export const manifestName = "boot.json";
/** Above every number that a manifest may have: what cannot be read may be the newest, and is told first. */
const unknown = 2 ** 53;

export interface StoredGeneration extends MenuEntry, StoredName {
  /** As its manifest says, which nobody has verified yet; `unknown` where that cannot be read. */
  readonly generation: number;
  /** Why its manifest cannot be read. */
  readonly broken: KexecError | undefined;
}

export function hasGenerations(tree: FileTree): boolean {
  const { names } = namesOf(tree);
  return generationsAmong(tree, names, 0).folders.length > 0;
}

/** Names of a store that may be folders of generations. */
function namesOf(tree: FileTree): { readonly names: readonly string[]; readonly all: boolean } {
  const names = tree.names("", mostStoreNames) ?? [];
  const all = names.length <= mostStoreNames;
  // What is fetched has such a name until it is whole.
  return { names: names.slice(0, mostStoreNames).filter((name) => !name.startsWith(".")), all };
}

/**
 * Those of the names that have a manifest, as they come, until there are more than `limit`.
 * @returns with `all` false where some were not looked at
 */
function generationsAmong(tree: FileTree, names: readonly string[], limit: number) {
  const folders: string[] = [];
  let left = mostLookedAt;
  for (const name of names) {
    if (folders.length > limit || left <= 0) return { folders, all: false };
    const inside = namesInside(tree, name);
    left -= inside?.length ?? 0;
    if (inside === undefined || inside.includes(manifestName)) folders.push(name);
  }
  return { folders, all: folders.length <= limit };
}

/** Undefined for one that cannot be looked into: it may have a manifest, and what is wrong is told when that is read. */
function namesInside(tree: FileTree, name: string): readonly string[] | undefined {
  try {
    return tree.names(name, mostNames) ?? [];
  } catch (error) {
    if (error instanceof KexecError && error.code === "io-error") return undefined;
    throw error;
  }
}

/**
 * In the order of their numbers, the highest first. Where a store has more than are looked at, those with the
 * highest names count.
 */
export function readGenerations(tree: FileTree, listener: Listener): readonly StoredGeneration[] {
  const found = namesOf(tree);
  let { folders, all } = generationsAmong(tree, found.names, mostGenerations);
  if (!all) {
    // To compare all names costs more than to look into the few that there are elsewhere.
    const highest = found.names.toSorted((one, other) => compareVersions(other, one));
    folders = generationsAmong(tree, highest, mostGenerations).folders;
  }
  if (!found.all || !all) {
    listener.warn?.(
      `not all of ${tree.path} is looked at: it has more than ${found.all ? `${mostGenerations} generations, and those with the highest names count` : `${mostStoreNames} names`}`,
    );
  }
  return storedNames(folders.slice(0, mostGenerations))
    .map((name) => readGeneration(tree, name))
    .sort(compareGenerations);
}

export function readGeneration(tree: FileTree, stored: StoredName): StoredGeneration {
  const from = `${stored.name}/${manifestName}`;
  const common = { ...stored, default: false, problem: undefined, from };
  try {
    using file = tree.open(from, "manifest");
    const bytes = file.read(0, Math.min(file.size, maxManifestSize + 1));
    const { generation, kernel, initrds, cmdline } = parseManifest(bytes, file.path);
    return {
      ...common,
      generation,
      title: `generation ${generation}`,
      kernel: `${stored.name}/${kernel.path}`,
      initrds: initrds.map(({ path }) => `${stored.name}/${path}`),
      cmdline,
      broken: undefined,
    };
  } catch (broken) {
    if (!(broken instanceof KexecError)) throw broken;
    const nameless = { generation: unknown, title: undefined };
    return { ...common, ...nameless, kernel: undefined, initrds: [], cmdline: undefined, broken };
  }
}

/** Why it does not verify; all of its files are read. */
export async function whyNot(
  tree: FileTree,
  one: StoredGeneration,
  opening: Opening,
): Promise<KexecError | undefined> {
  if (one.broken !== undefined) return one.broken;
  using held = new DisposableStack();
  try {
    const { architecture } = opening;
    const found = manifestIn(tree, one, held);
    const { kernel, initrds, manifest } = await manifestReader.open(found, { ...opening, held });
    const wanted = manifest?.manifest.architecture;
    if (wanted !== architecture) {
      return cannot(`load ${found.file.path}`, {
        code: "wrong-architecture",
        details: { path: found.file.path },
        why: `it is for ${wanted}, and this machine is ${architecture}`,
      });
    }
    for (const { file, expected } of [kernel, ...initrds]) {
      if (expected === undefined || sha256Of(file) === expected.sha256) continue;
      return cannot(`use ${file.path}`, {
        code: "digest-mismatch",
        details: { path: file.path },
        why: "its SHA-256 is not the manifest's",
      });
    }
    return undefined;
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
}

/** The manifest of a generation, and the ways from it. The name is empty for the tree's own folder. */
export function manifestIn(
  tree: FileTree,
  { name }: Pick<StoredName, "name">,
  held: DisposableStack,
): FoundFile {
  const inFolder = (other: string) => (name === "" ? other : `${name}/${other}`);
  const path = inFolder(manifestName);
  const file = held.use(tree.open(path, "manifest"));
  return {
    file,
    beginning: beginningOf(file),
    openBelow: (other, what) => tree.open(inFolder(other), what),
    openBeside: besideIn(tree, path),
    treeAbove: () => undefined,
  };
}

/** Where the next system finds it, whatever its counter is by then. */
export function placeOf({ canonicalPath, lasting }: FileTree, { id }: StoredName): string {
  const place = `${(lasting ?? canonicalPath).replace(/\/$/, "")}/${id}`;
  return place.startsWith("/") ? lastingPlace(place) : place;
}

/** What the running system was started from. */
export function runningPlace(): string | undefined {
  const cmdline = readText("/proc/cmdline");
  return cmdline.ok ? fromPlaceIn(cmdline.text.split(/\s+/)) : undefined;
}

export function shown({ generation, name }: StoredGeneration): string {
  return generation === unknown ? name : `${generation} (${name})`;
}
