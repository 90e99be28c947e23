/** A directory of kernels and the initramfs of each: what `/boot` is where no menu is in it. */
import { KexecError } from "../../errors.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { findPairs, type Pair } from "../../menu/pairs.ts";
import { openEntryFiles } from "../choose.ts";
import type { FileTree, FoundTree, Menu, Opened, Opening, Reader } from "../kind.ts";

const folders = ["", "boot"];
const mostNames = 65_536;
const mostPairs = 4096;

export const pairsReader = {
  menu: ({ tree }: FoundTree) => new PairsMenu(tree),
} satisfies Reader<FoundTree>;

/** Whether a kernel is in it that has its initramfs beside it. */
export function hasPairs({ tree }: FoundTree): boolean {
  return pairsOf(tree).length > 0;
}

interface Found extends Pair {
  readonly folder: string;
}

/** Of the directory itself, else of its `boot`: that of a whole system. */
function pairsOf(tree: FileTree): readonly Found[] {
  for (const folder of folders) {
    const pairs = findPairs(namesOf(tree, folder)).slice(0, mostPairs);
    if (pairs.some(({ initrds }) => initrds.length > 0)) {
      return pairs.map((pair) => ({ ...pair, folder }));
    }
  }
  return [];
}

function namesOf(tree: FileTree, folder: string): readonly string[] {
  try {
    return tree.names(folder, mostNames)?.slice(0, mostNames) ?? [];
  } catch (error) {
    if (error instanceof KexecError) return [];
    throw error;
  }
}

export class PairsMenu implements Menu {
  readonly noun = "kernel";

  constructor(private readonly tree: FileTree) {}

  get path(): string {
    return this.tree.path;
  }

  list() {
    const pairs = pairsOf(this.tree);
    const first = pairs.findIndex(({ initrds }) => initrds.length > 0);
    const inFolder = (folder: string, name: string) => (folder === "" ? name : `${folder}/${name}`);
    const entries = pairs.map(
      ({ folder, kernel, initrds, version }, index): MenuEntry => ({
        id: kernel,
        title: version === "" ? "Linux" : `Linux ${version}`,
        kernel: inFolder(folder, kernel),
        initrds: initrds.map((name) => inFolder(folder, name)),
        cmdline: undefined,
        default: index === first,
        problem: initrds.length > 0 ? undefined : "no initramfs of its version is beside it",
        from: inFolder(folder, kernel),
      }),
    );
    return { entries, why: "the newest kernel that has its initramfs beside it" };
  }

  open(entry: MenuEntry, opening: Opening): Opened {
    const opened = openEntryFiles(entry, this.tree, this.noun, opening);
    opening.listener.note?.(`kernel: ${entry.from}`);
    return { ...opened, borrower: entry.from };
  }
}
