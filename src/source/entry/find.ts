/** Where the boot entries of a partition are, and which file `--entry` names: by names alone. */
import { cannot } from "../../errors.ts";
import type { FileTree, FoundTree } from "../kind.ts";
import { compareEntries, type EntryName, isNamed, readEntryName } from "./order.ts";

/** The names that are looked at. */
const mostNames = 65_536;

const places = [
  { kind: "entry", folder: "loader/entries", suffix: ".conf" },
  { kind: "uki", folder: "EFI/Linux", suffix: ".efi" },
] as const;

/** Whether a directory has boot entries, whatever is in them. */
export function hasEntries(found: FoundTree): boolean {
  using held = new DisposableStack();
  return hasSome(rootOf(found, held));
}

function hasSome(root: FileTree): boolean {
  return places.some((place) => namesOf(root, place).some((name) => isEntry(name, place)));
}

/** Where the partition with the entries is mounted, where a whole root is given. */
const below = ["boot", "efi", "boot/efi"];

/**
 * The root of a partition: `/boot`, an ESP; also by its `loader/entries`, from which paths in entries
 * do not count, and by the root that it is mounted in.
 */
export function rootOf({ tree, treeAbove }: FoundTree, held: DisposableStack): FileTree {
  const inEntries = /(?:^|\/)loader(?:\.\d+)?\/entries$/;
  const isFolder =
    inEntries.test(tree.path.replace(/\/+$/, "")) || inEntries.test(tree.canonicalPath);
  const above = isFolder ? treeAbove(2) : undefined;
  if (above !== undefined) return held.use(above);
  if (hasSome(tree)) return tree;
  const roots = below.map((folder) => subtree(tree, folder)).filter(hasSome);
  const [only] = roots;
  return only !== undefined && roots.length === 1 ? only : tree;
}

/** A folder of a tree as the tree that paths count from; links lead through all of it. */
function subtree(tree: FileTree, folder: string): FileTree {
  const inside = (path: string) => `${folder}/${path.replace(/^\/+/, "")}`;
  return {
    path: `${tree.path.replace(/\/$/, "")}/${folder}`,
    canonicalPath: `${tree.canonicalPath.replace(/\/$/, "")}/${folder}`,
    open: (path, what) => tree.open(inside(path), what),
    names: (path, limit) => tree.names(inside(path).replace(/\/$/, ""), limit),
  };
}

/** An entry's file, by its name alone. */
export interface FoundEntry extends EntryName {
  readonly kind: "entry" | "uki";
  readonly path: string;
}

/** The entry that `id` names, by the names of files alone. */
export function pickNamed(found: readonly FoundEntry[], id: string): FoundEntry | undefined {
  const isExact = ({ path }: FoundEntry) => path.slice(path.lastIndexOf("/") + 1) === id;
  const named = found.filter((entry) => isNamed(entry.id, id));
  // Of two that differ in their boot counters the better one; nothing else is known of them here.
  const [best] = named
    .map((entry) => ({ ...entry, sortKey: undefined, machineId: undefined, version: undefined }))
    .sort(compareEntries);
  return found.find(isExact) ?? best;
}

type EntryPlace = (typeof places)[number];

function namesOf(root: FileTree, { folder }: EntryPlace): readonly string[] {
  const names = root.names(folder, mostNames) ?? [];
  if (names.length <= mostNames) return names;
  throw cannot(`read ${root.path}/${folder}`, {
    code: "file-too-large",
    details: { path: `${root.path}/${folder}`, size: names.length, limit: mostNames },
    why: `it has more than ${mostNames} files`,
  });
}

function isEntry(name: string, { suffix }: EntryPlace): boolean {
  return name.toLowerCase().endsWith(suffix) && readEntryName(name) !== undefined;
}

export function findEntries(root: FileTree): readonly FoundEntry[] {
  return places.flatMap((place) =>
    namesOf(root, place).flatMap((name): FoundEntry[] => {
      const entry = isEntry(name, place) ? readEntryName(name) : undefined;
      return entry === undefined
        ? []
        : [{ kind: place.kind, path: `${place.folder}/${name}`, ...entry }];
    }),
  );
}
