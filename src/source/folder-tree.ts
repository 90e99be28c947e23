/** A folder of this machine as a tree of files, which nothing leads out of. */
import { namesIn } from "../linux/directory.ts";
import { Folder, InputFile } from "../linux/file.ts";
import type { FileTree } from "./kind.ts";

export class FolderTree implements FileTree, Disposable {
  constructor(
    /** Stays open as long as the tree, which closes it. */
    readonly folder: Folder,
    /** See `FileTree`. */
    readonly changeable?: string,
    readonly lasting?: string,
  ) {}

  /** @throws KexecError of Folder.open */
  static open(path: string): FolderTree {
    return new FolderTree(Folder.open(path));
  }

  get path(): string {
    return this.folder.path;
  }

  get canonicalPath(): string {
    return this.folder.canonicalPath;
  }

  open(path: string, what: string): InputFile {
    return InputFile.openInside(this.folder, path.replace(/^\/+/, ""), what);
  }

  names(path: string, limit: number): readonly string[] | undefined {
    return namesIn(this.folder, path.replace(/^\/+/, "") || ".", limit);
  }

  [Symbol.dispose](): void {
    this.folder[Symbol.dispose]();
  }
}

/** The folder `levels` above the one that has the file at this path. */
export function folderAbove(path: string, levels: number): string {
  const names = path.split("/").slice(0, -1 - levels);
  return names.join("/") || "/";
}
