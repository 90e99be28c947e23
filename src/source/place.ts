/** Where SOURCE is: by its first characters a path, and further places with a file each. */
import { ENOENT } from "../errno.ts";
import { Folder, InputFile } from "../linux/file.ts";
import { isDirectory, statusOfPath } from "../linux/path.ts";
import type { Listener } from "../listener.ts";
import { suffixesIn } from "./beside.ts";
import { FolderTree, folderAbove } from "./folder-tree.ts";
import type { Admission, FoundFile, FoundTree } from "./kind.ts";
import type { NetworkOptions } from "./network/network.ts";
import { beginningOf } from "./open-file.ts";

/** What was found at SOURCE. */
export type Found = FoundFile | FoundTree;

export function isTree(found: Found): found is FoundTree {
  return "tree" in found;
}

/** Seconds that a disk or a server is waited for. */
const defaultWait = 30;

/** How a place is searched. */
export interface Searching {
  readonly wait: number | undefined;
  readonly network?: Omit<NetworkOptions, "wait">;
  readonly listener: Listener;
  readonly admission: Pick<Admission, "required" | "fileSystems" | "admitUnseen" | "requireRoom">;
}

/**
 * Opens what SOURCE names; it is closed with `held`.
 * @throws KexecError of InputFile.open, Folder.open, `findOnDisk` and `findOnNetwork`
 */
export function findSource(
  source: string,
  held: DisposableStack,
  { wait = defaultWait, network, listener, admission }: Searching,
): Found | Promise<Found> {
  if (isUrl(source)) {
    return import("./network/network.ts").then(({ findOnNetwork }) =>
      findOnNetwork(source, held, admission, { ...network, wait }, listener),
    );
  }
  if (isOnDisk(source)) {
    const { fileSystems } = admission;
    return import("./disk/disk.ts").then(({ findOnDisk }) =>
      findOnDisk(source, held, { seconds: wait, fileSystems, listener }),
    );
  }
  if (isDirectory(source)) return foundFolder(held.use(FolderTree.open(source)));
  return foundFile(held.use(InputFile.open(source, "")), held);
}

/** Whether SOURCE is on a server. */
export function isUrl(source: string): boolean {
  return source.includes("://") && /^https?:\/\//i.test(source);
}

/** SOURCE as it is told: of a URL without what may let somebody in, behind `?` or in front of `@`. */
export function shownSource(source: string): string {
  if (!isUrl(source)) return source;
  return source.replace(/^(https?:\/\/)[^/?#]*@/i, "$1…@").replace(/[?#].*$/s, "?…");
}

/** Whether SOURCE is a place on a disk; a device without a path is not, and neither is a file below /dev. */
function isOnDisk(source: string): boolean {
  return (
    (source.includes("=") && /^(LABEL|UUID|PARTLABEL|PARTUUID)=/.test(source)) ||
    (source.startsWith("/dev/") && source.includes(":/"))
  );
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
    openBeside: Object.assign(
      (suffix: string, what: string) => InputFile.open(`${file.path}${suffix}`, what),
      {
        suffixes: (limit: number) => suffixesOf(file.path, limit),
        has: (suffix: string) => statusOfPath(`${file.path}${suffix}`) !== -ENOENT,
      },
    ),
    treeAbove: (levels) => FolderTree.open(folderAbove(file.canonicalPath, levels)),
  };
}

/** What follows a file's name in the other names of its folder. */
function suffixesOf(path: string, limit: number): readonly string[] {
  const name = path.slice(path.lastIndexOf("/") + 1);
  using tree = FolderTree.open(path.length > name.length ? path.slice(0, -name.length) : ".");
  return suffixesIn(tree.names("", limit) ?? [], name);
}
