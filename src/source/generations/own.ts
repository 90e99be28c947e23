/** The manifest of a folder that is a generation itself. */

import { KexecError } from "../../errors.ts";
import { maxManifestSize } from "../../trust/manifest.ts";
import { type FileTree, type FoundFile, resemblesManifest } from "../kind.ts";
import { manifestIn } from "./stored.ts";

/**
 * Undefined where there is none, or a file of that name that others may have put there. One that is there and
 * cannot be used is not passed over: what it is about would be started without it.
 * @throws KexecError of `FileTree.open`
 */
export function manifestOf(tree: FileTree, held: DisposableStack): FoundFile | undefined {
  try {
    const found = manifestIn(tree, { name: "" }, held);
    return isOurs(found) ? found : undefined;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    if (error.code === "file-not-found" || error.code === "not-a-regular-file") return undefined;
    throw error;
  }
}

/** Whether there is one that can be read. */
export function hasManifest(tree: FileTree): boolean {
  using held = new DisposableStack();
  try {
    return manifestOf(tree, held) !== undefined;
  } catch (error) {
    if (error instanceof KexecError) return false;
    throw error;
  }
}

/** By its format, anywhere in it: one that was cut off, or is of a version to come, is ours, too. */
function isOurs({ file, beginning }: FoundFile): boolean {
  if (!resemblesManifest(beginning)) return false;
  const text = new TextDecoder().decode(file.read(0, Math.min(file.size, maxManifestSize)));
  return text.includes("aegis-kexec");
}
