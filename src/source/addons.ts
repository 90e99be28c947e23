/**
 * What systemd-stub would take from beside a UKI: add-ons to its command line and its archives, credentials
 * and extensions (systemd-stub(7), "Companion files"). None of it is taken here: the kernel verifies the
 * image inside of the UKI alone, so that nothing would vouch for them. They are named.
 */
import type { Listener } from "../listener.ts";
import type { FileTree } from "./kind.ts";
import type { OpenFile } from "./open-file.ts";
import { isUki } from "./uki.ts";

const companion = /\.(?:addon\.efi|cred|sysext\.raw|confext\.raw)$/i;
const globalFolders = ["loader/addons", "loader/credentials", "loader/extensions"];
const mostNames = 4096;
const mostNamed = 8;

/**
 * Warns of the files that go with the UKI at `path` of a tree.
 * @param root The partition, which may have some for every UKI; undefined where that is not known.
 */
export function warnOfAddons(
  file: OpenFile,
  tree: FileTree,
  path: string,
  root: FileTree | undefined,
  listener: Listener,
): void {
  const own = companionsIn(tree, `${path.replace(/^\/+/, "")}.extra.d`);
  const all = [
    ...own,
    ...globalFolders.flatMap((folder) => (root ? companionsIn(root, folder) : [])),
  ];
  if (all.length === 0 || !isUki(file)) return;
  const more = all.length > mostNamed ? ` and ${all.length - mostNamed} others` : "";
  listener.warn?.(
    `${file.path}: ${all.slice(0, mostNamed).join(", ")}${more} ${all.length === 1 ? "goes" : "go"} with it in systemd-stub, and ${all.length === 1 ? "is" : "are"} left out: nothing vouches for ${all.length === 1 ? "it" : "them"} here`,
  );
}

function companionsIn(tree: FileTree, folder: string): string[] {
  const names = tree.names(folder, mostNames) ?? [];
  return names
    .filter((name) => companion.test(name))
    .map((name) => `${folder}/${name}`)
    .sort();
}
