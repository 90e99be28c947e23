/** A boot entry of type 1 as a source: a file that names kernel, archives and options. */

import { cannot } from "../../errors.ts";
import { parameterValues, withoutWords } from "../../kernel-words.ts";
import { warnOfAddons } from "../addons.ts";
import { besideIn } from "../beside.ts";
import type { FileTree, FoundFile, Opened, Opening, Reader } from "../kind.ts";
import type { OpenFile, SourceFile } from "../open-file.ts";
import { type EntryFile, isForMachine, largestEntry, parseEntry } from "./file.ts";
import { openArchives, openNamed } from "./path.ts";
import { FolderVariables } from "./variables.ts";

export const entryReader = {
  open: (found, opening) => {
    const { file } = found;
    const root = rootOf(found);
    if (root === undefined) {
      throw cannot(`load the boot entry ${file.path}`, {
        code: "malformed-input",
        details: { path: file.path },
        why: "its files cannot be found from there",
        hint: "give the directory or the disk that has loader/entries",
      });
    }
    return openEntry(file, opening.held.use(root), opening);
  },
} satisfies Reader<FoundFile>;

const inEntries = /(?:^|\/)loader(?:\.\d+)?\/entries\/[^/]+$/;

/**
 * By the path that was given before the canonical one: `loader` is a link in ostree's systems, to
 * `loader.0` or `loader.1`.
 */
function rootOf(found: FoundFile): ReturnType<FoundFile["treeAbove"]> {
  const { path, canonicalPath } = found.file;
  return found.treeAbove(inEntries.test(path) || inEntries.test(canonicalPath) ? 2 : 0);
}

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
      details: { path },
      why: `it is for ${entry.architecture}, and this machine is ${architecture}`,
      hint: `choose an entry for ${architecture}`,
    });
  }
  requireUsable(path, entry);
  for (const line of entry.warnings) listener.warn?.(`${path}: ${line}`);
  // Credentials and extensions, which only systemd-stub hands over.
  if (entry.ignored.includes("extra")) {
    listener.warn?.(`${path}: its extra files do not reach the next kernel`);
  }
  if (entry.ignored.length > 0) {
    listener.note?.(`${path}: it has keys that are ignored: ${entry.ignored.join(", ")}`);
  }
  const note = (line: string) => listener.note?.(`${path}: ${line}`);
  const expand = new FolderVariables(root).expansionOf(path, (line) => listener.warn?.(line));
  const { cmdline, archives } = withoutArchives(entry.options && expand(entry.options));
  if (archives.length > 0) note(`initrd= of its options names ${archives.join(" and ")}`);

  const kernel = openNamed(root, expand(entry.image.path), "kernel", note);
  held.use(kernel.file);
  if (entry.image.key !== "linux") warnOfAddons(kernel.file, root, kernel.path, root, listener);
  const initrds = [...entry.initrds.map(expand), ...archives].flatMap((value) => {
    const opened = openArchives(root, value, note);
    for (const { file: archive } of opened) held.use(archive);
    return opened.map((one): SourceFile => ({ file: one.file, expected: undefined }));
  });
  return {
    kernel: {
      file: kernel.file,
      expected: undefined,
      openBeside: besideIn(root, kernel.path),
    },
    initrds,
    cmdline,
    entry: { path, facts: entry },
  };
}

/**
 * Options without `initrd=PATH`, by which the boot loader, or the kernel as an EFI program, is told of
 * archives (Documentation/admin-guide/efi-stub.rst), and those paths. A place in memory is left alone.
 */
export function withoutArchives(options: string | undefined): {
  readonly cmdline: string | undefined;
  readonly archives: readonly string[];
} {
  if (options === undefined || !options.includes("initrd=")) {
    return { cmdline: options, archives: [] };
  }
  const archives = parameterValues(options, "initrd")
    .map((bytes) => Buffer.from(bytes, "latin1").toString("utf8"))
    .filter((value) => value !== "");
  const cmdline = withoutWords(options, (word) => /^"?initrd=(?!0x)/.test(word));
  return cmdline.includes("initrd=0x") ? { cmdline: options, archives: [] } : { cmdline, archives };
}

function requireUsable(path: string, { deviceTree }: EntryFile): void {
  if (deviceTree !== undefined) {
    throw cannot(`load the boot entry ${path}`, {
      code: "kernel-unsuitable",
      details: { path },
      why: `it wants a device tree (${deviceTree}), and kexec passes on the running one`,
      hint: "to boot with the running device tree, give its kernel, initramfs and options directly",
    });
  }
}
