/** Where SOURCE is: by its first characters a path, and further places with a file each. */
import { Folder, InputFile } from "../linux/file.ts";
import { isDirectory } from "../linux/path.ts";
import { FolderTree, folderAbove } from "./folder-tree.ts";
import type { FoundFile, FoundTree } from "./kind.ts";
import type { OpenFile } from "./open-file.ts";

const longestBeginning = 1024;

/** What was found at SOURCE. */
export type Found = FoundFile | FoundTree;

export function isTree(found: Found): found is FoundTree {
  return "tree" in found;
}

/**
 * Opens what SOURCE names; it is closed with `held`.
 * @throws KexecError of InputFile.open and Folder.open
 */
export async function findSource(source: string, held: DisposableStack): Promise<Found> {
  if (isDirectory(source)) return foundFolder(held.use(FolderTree.open(source)));
  return foundFile(held.use(InputFile.open(source, "kernel")), held);
}

function foundFolder(tree: FolderTree): FoundTree {
  return {
    tree,
    treeAbove: (levels) => FolderTree.open(folderAbove(`${tree.canonicalPath}/`, levels)),
  };
}

/** A file of a file system of this machine, opened by its path. */
export function foundFile(file: InputFile, held: DisposableStack): FoundFile {
  let folder: Folder | undefined;
  return {
    file,
    beginning: beginningOf(file),
    openBelow: (path, what) => {
      folder ??= held.use(Folder.of(file.path));
      return InputFile.openBelow(folder, path, what);
    },
    openBeside: (suffix, what) => InputFile.open(`${file.path}${suffix}`, what),
    treeAbove: (levels) => FolderTree.open(folderAbove(file.canonicalPath, levels)),
  };
}

export function beginningOf(file: OpenFile): Uint8Array {
  return file.read(0, Math.min(file.size, longestBeginning));
}
