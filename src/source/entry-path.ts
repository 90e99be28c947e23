/** The files that a boot entry names. */
import { KexecError } from "../errors.ts";
import type { FileTree } from "./kind.ts";
import type { HeldFile } from "./open-file.ts";

/**
 * Opens a file that an entry names. UAPI.1 counts paths from the root of the file system; where
 * `/boot` is no partition of its own, they begin with the folder's own name, and count from above it.
 * @param root The folder that has `loader/entries`; nothing outside of it is opened.
 * @throws KexecError of FileTree.open
 */
export function openNamed(root: FileTree, path: string, what: string): HeldFile {
  try {
    return root.open(path, what);
  } catch (error) {
    const inside = withoutFolder(root.canonicalPath, path);
    if (!(error instanceof KexecError && error.code === "file-not-found") || inside === undefined) {
      throw error;
    }
    return root.open(inside, what);
  }
}

/** `boot/vmlinuz` in `/mnt/boot`: `vmlinuz`. */
function withoutFolder(folder: string, path: string): string | undefined {
  const names = folder.split("/").slice(1);
  const own = names
    .map((_, index) => `${names.slice(index).join("/")}/`)
    .find((end) => end !== "/" && path.startsWith(end) && path.length > end.length);
  return own === undefined ? undefined : path.slice(own.length);
}
