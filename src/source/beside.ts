/** The way to the files whose names begin as one file's does: its signatures. */
import type { FileTree } from "./kind.ts";
import type { OpenBeside } from "./open-file.ts";

/** The files beside the one at `path` in a tree. */
export function besideIn(tree: FileTree, path: string): OpenBeside {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  return Object.assign((suffix: string, what: string) => tree.open(`${path}${suffix}`, what), {
    suffixes: (limit: number) =>
      suffixesIn(tree.names(path.slice(0, Math.max(0, slash)), limit) ?? [], name),
  });
}

/** What follows a file's name in other names of its folder. */
export function suffixesIn(names: readonly string[], name: string): readonly string[] {
  return names
    .filter((other) => other.startsWith(name) && other !== name)
    .map((other) => other.slice(name.length));
}
