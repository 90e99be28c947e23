/** What a boot loader writes when it starts an entry, made the way that the loader makes it. */
import { errnoText } from "../../errno.ts";
import { isWritable, overwrite, renameIn } from "../../linux/device/change.ts";
import {
  canChangeLoaderVariables,
  deleteLoaderVariable,
  type LoaderVariable,
  writeLoaderVariable,
} from "../../linux/device/efi-variables.ts";
import { countedDown } from "../../menu/counting.ts";
import { largestGrubenv, readGrubenv, writeGrubenv } from "../../menu/grubenv.ts";
import type { MenuWrite } from "../../menu/host.ts";
import type { Afterwards, FileTree } from "../kind.ts";
import type { Located } from "./tree-host.ts";

/** The path by which a file of a tree can be changed; undefined where it has none. */
function pathIn(tree: FileTree, path: string): string | undefined {
  const { canonicalPath, changeable } = tree;
  const root = changeable ?? (canonicalPath.startsWith("/") ? canonicalPath : undefined);
  return root === undefined ? undefined : `${root.replace(/\/$/, "")}/${path}`;
}

export function canWrite({ tree, path }: Pick<Located, "tree" | "path">): boolean {
  const named = pathIn(tree, path);
  return named !== undefined && isWritable(named);
}

/** GRUB's environment block: the file as it is then, with these variables. */
export function writeEnvironment(
  located: Located,
  { variables }: Pick<MenuWrite, "variables">,
): Afterwards {
  const { tree, path } = located;
  return {
    what: `set ${[...variables.keys()].join(", ")} in ${path}`,
    make() {
      const named = pathIn(tree, path);
      if (named === undefined) return "its file system is mounted read-only here";
      using file = tree.open(path, "GRUB environment block");
      const bytes = file.read(0, Math.min(file.size, largestGrubenv + 1));
      const changed = writeGrubenv(bytes, variables);
      if ("why" in changed) return changed.why;
      return reasonOf(overwrite(named, changed));
    },
  };
}

/** Reads a block; no variables where it is none. */
export function readEnvironment(tree: FileTree, path: string): ReadonlyMap<string, string> {
  using file = tree.open(path, "GRUB environment block");
  const found = readGrubenv(file.read(0, Math.min(file.size, largestGrubenv + 1)));
  return "why" in found ? new Map() : found;
}

/**
 * One try less for what is counted; undefined where it is not, or has none left.
 * @param suffix Whether it is a file: see `readCounter`.
 */
export function countDown(tree: FileTree, path: string, suffix = true): Afterwards | undefined {
  const name = path.slice(path.lastIndexOf("/") + 1);
  const next = countedDown(name, suffix);
  if (next === undefined) return undefined;
  return {
    what: `count down ${name}`,
    make() {
      const folder = pathIn(tree, path.slice(0, Math.max(0, path.lastIndexOf("/"))));
      if (folder === undefined) return "its file system is mounted read-only here";
      return reasonOf(renameIn(folder, name, next));
    },
  };
}

export const canChangeVariables = canChangeLoaderVariables;

export function deleteVariable(name: LoaderVariable): Afterwards {
  return { what: `delete ${name}`, make: () => reasonOf(deleteLoaderVariable(name)) };
}

export function setVariable(name: LoaderVariable, text: string): Afterwards {
  return { what: `set ${name}`, make: () => reasonOf(writeLoaderVariable(name, text)) };
}

function reasonOf(result: number): string | undefined {
  return result < 0 ? errnoText(-result).toLowerCase() : undefined;
}
