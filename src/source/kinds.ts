/** The kinds of source, in the order in which they are tried: see kind.ts. */
import { cannot } from "../errors.ts";
import { isIso9660 } from "../image/iso9660-mark.ts";
import { imageReader, isPlainKernel, isText } from "./kernel.ts";
import {
  type FoundFile,
  type FoundTree,
  manifestKind,
  type Reader,
  resemblesManifest,
  type SourceKind,
} from "./kind.ts";

/** A text with NULs behind it, as a crash leaves one: of a boot entry they can be told apart. */
function isPadded({ beginning }: FoundFile): boolean {
  const nul = beginning.indexOf(0);
  return nul > 0 && beginning[0] !== 0x7b && beginning.subarray(nul).every((byte) => byte === 0);
}

/** A directory of nothing that could be booted. */
const nothing: Reader<FoundTree> = {
  open: ({ tree }) => {
    throw cannot(`load ${tree.path}`, {
      code: "file-not-found",
      details: { path: tree.path },
      why: "it is a directory with nothing in it that can be booted",
      hint: "give a kernel, or a directory of boot entries, of a boot menu, of ISO images or of kernels",
    });
  },
};

/** What is wrapped may be a UKI, with files that go with it. */
const wrapped: Reader<FoundFile> = {
  open: async (found, { listener, held }) => {
    const { file, treeAbove, openBeside } = found;
    const folder = treeAbove(0);
    if (folder !== undefined) {
      held.use(folder);
      const root = /\/EFI\/Linux\/[^/]+$/i.test(file.canonicalPath) ? treeAbove(2) : undefined;
      if (root !== undefined) held.use(root);
      const name = file.canonicalPath.slice(file.canonicalPath.lastIndexOf("/") + 1);
      const { warnOfAddons } = await import("./addons.ts");
      warnOfAddons(file, folder, name, root, listener);
    }
    return { kernel: { file, expected: undefined, openBeside }, initrds: [] };
  },
};

async function isEntry({ file }: FoundFile): Promise<boolean> {
  const { largestEntry, resemblesEntry } = await import("./entry/file.ts");
  return resemblesEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
}

const bootEntry: SourceKind<FoundFile> = {
  name: "boot entry",
  resembles: isEntry,
  reader: async () => (await import("./entry/entry.ts")).entryReader,
};

/** What a file is. The last row takes every file. */
export const fileKinds: readonly SourceKind<FoundFile>[] = [
  { name: "image", resembles: isPlainKernel, reader: () => imageReader },
  {
    name: "ISO image",
    resembles: ({ file }) => isIso9660(file),
    reader: async () => (await import("./iso/iso.ts")).isoReader,
  },
  { ...bootEntry, resembles: async (found) => isPadded(found) && (await isEntry(found)) },
  {
    name: "image",
    resembles: (found) => !isText(found),
    reader: () => wrapped,
  },
  {
    name: manifestKind,
    resembles: ({ beginning }) => resemblesManifest(beginning),
    reader: async () => (await import("./manifest.ts")).manifestReader,
  },
  // Menus, whose lines look like those of boot entries, are told before those.
  {
    name: "boot menu",
    resembles: async ({ file }) => {
      const { menuKindOf, mostToTell } = await import("./menus/find.ts");
      const text = new TextDecoder().decode(file.read(0, Math.min(file.size, mostToTell)));
      return menuKindOf(text) !== undefined;
    },
    reader: async () => (await import("./menus/menu.ts")).menuFileReader,
  },
  bootEntry,
  { name: "image", resembles: () => true, reader: () => imageReader },
];

/** What a directory is of, where it is no generation itself, in the order of docs/sources.md. The last row takes every directory. */
export const treeKinds: readonly SourceKind<FoundTree>[] = [
  {
    name: "generations",
    resembles: async (found) => (await import("./generations/store.ts")).isStore(found),
    reader: async () => (await import("./generations/store.ts")).storeReader,
  },
  {
    name: "boot entries",
    resembles: async (found) => (await import("./entry/find.ts")).hasEntries(found),
    reader: async () => (await import("./entry/entries.ts")).entriesReader,
  },
  {
    name: "boot menu",
    resembles: async (found) => (await import("./menus/find.ts")).hasMenu(found),
    reader: async () => (await import("./menus/menu.ts")).menuTreeReader,
  },
  {
    name: "ISO images",
    resembles: async (found) => (await import("./iso/folder.ts")).hasImages(found),
    reader: async () => (await import("./iso/folder.ts")).isoFolderReader,
  },
  {
    name: "kernels",
    mayBeGeneration: true,
    resembles: async (found) => (await import("./menus/pairs.ts")).hasPairs(found),
    reader: async () => (await import("./menus/pairs.ts")).pairsReader,
  },
  { name: "directory", mayBeGeneration: true, resembles: () => true, reader: () => nothing },
];
