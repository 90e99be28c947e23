/** A boot entry of type 1 as a source: a file that names kernel, archives and options. */
import { cannot } from "../errors.ts";
import { type EntryFile, isForMachine, largestEntry, parseEntry } from "./entry-file.ts";
import { openNamed } from "./entry-path.ts";
import type { FileTree, FoundFile, Opened, Opening, Reader } from "./kind.ts";
import type { OpenFile, SourceFile } from "./open-file.ts";

export const entryReader = {
  open: (found, opening) => {
    const { file } = found;
    const above = /\/loader\/entries\/[^/]+$/.test(file.canonicalPath) ? 2 : 0;
    const root = found.treeAbove(above);
    if (root === undefined) {
      throw cannot(`load the boot entry ${file.path}`, {
        code: "malformed-input",
        why: "its files are not to be found from there",
        hint: "give the directory or the disk that has loader/entries",
      });
    }
    return openEntry(file, opening.held.use(root), opening);
  },
} satisfies Reader<FoundFile>;

/**
 * Opens the files that an entry names.
 * @param root The directory that has loader/entries; for an entry elsewhere, the one that it is in.
 * @throws KexecError `malformed-input`, `outside-folder`, `wrong-architecture`, `kernel-unsuitable`,
 *   and those of `FileTree.open`
 */
export function openEntry(file: OpenFile, root: FileTree, opening: Opening): Opened {
  const { architecture, listener, held } = opening;
  const { path } = file;
  const entry = parseEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
  if (entry.kind === "broken") {
    throw cannot(`load the boot entry ${path}`, entry);
  }
  if (!isForMachine(entry.architecture, architecture)) {
    throw cannot(`load the boot entry ${path}`, {
      code: "wrong-architecture",
      why: `it is for ${entry.architecture}, and this machine is ${architecture}`,
      hint: `choose an entry for ${architecture}`,
    });
  }
  requireUsable(path, entry);
  // Credentials and extensions, which only systemd-stub hands over.
  if (entry.ignored.includes("extra")) {
    listener.warn?.(`${path}: its extra files do not reach the next kernel`);
  }
  if (entry.ignored.length > 0) {
    listener.note?.(`${path}: nothing is done about its ${entry.ignored.join(", ")}`);
  }
  const opened = (named: string, what: string): SourceFile => ({
    file: held.use(openNamed(root, named, what)),
    expected: undefined,
    openBeside: (suffix, other) => openNamed(root, `${named}${suffix}`, other),
  });
  return {
    kernel: opened(entry.image.path, "kernel"),
    initrds: entry.initrds.map((named) => opened(named, "initramfs")),
    cmdline: entry.options,
    entry: { path, facts: entry },
  };
}

function requireUsable(path: string, { deviceTree, initrds }: EntryFile): void {
  if (deviceTree !== undefined) {
    throw cannot(`load the boot entry ${path}`, {
      code: "kernel-unsuitable",
      why: `it wants a device tree (${deviceTree}), and kexec_file_load passes on the running one`,
      hint: "give its kernel, its initramfs and its options themselves to boot with the running device tree",
    });
  }
  const variable = initrds.find((named) => /(?:^|\s)\$\w/.test(named));
  if (variable !== undefined) {
    throw cannot(`load the boot entry ${path}`, {
      code: "malformed-input",
      why: `its initrd ${variable} has a variable of GRUB, and its value is not in the entry`,
      hint: "give its kernel, its initramfs and its options themselves",
    });
  }
}
