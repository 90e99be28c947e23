/** Files of another system, in its tree: links count from its root, as they do for that system. For rehearsals alone. */
import { ENOENT } from "../../errno.ts";
import { close } from "../../linux/descriptor.ts";
import { O_PATH, openBeneathAs, RESOLVE_IN_ROOT } from "../../linux/directory.ts";
import { Folder, InputFile } from "../../linux/file.ts";
import { readLink } from "../../linux/path.ts";
import { inTree } from "./gate.ts";

/**
 * Opens a file by its absolute path in that system.
 * @throws KexecError of `InputFile.openInside`
 */
export function openInTree(root: string, path: string, what: string): InputFile {
  using folder = openRoot(root);
  return InputFile.openInside(folder, path.slice(1), what);
}

/** The path in that system of what `inTree` wrote; undefined where it is no path of its tree. */
export function pathInTree(root: string, path: string): string | undefined {
  const whole = inTree(root, "/");
  return path.startsWith(whole) ? path.slice(whole.length - 1) : undefined;
}

/**
 * Whether that system has something at `path`, and be it what cannot be looked at. A link that leads nowhere is
 * something: somebody put it there.
 */
export function isInTree(root: string, path: string): boolean {
  using folder = openRoot(root);
  let way = ".";
  for (const name of path.split("/").filter((part) => part !== "")) {
    const next = `${way}/${name}`;
    const fd = openBeneathAs(folder, next, O_PATH, RESOLVE_IN_ROOT);
    if (fd < 0) return fd !== -ENOENT || isLink(folder, way, name);
    close(fd);
    way = next;
  }
  return true;
}

function isLink(folder: Folder, way: string, name: string): boolean {
  const fd = openBeneathAs(folder, way, O_PATH, RESOLVE_IN_ROOT);
  if (fd < 0) return false;
  const target = readLink(`/proc/self/fd/${fd}/${name}`);
  close(fd);
  return typeof target === "string";
}

function openRoot(root: string): Folder {
  return Folder.open(root.replace(/(.)\/+$/, "$1"));
}
