/** Sources that say in words what to boot: a manifest, a boot entry, a directory of boot entries. */
import { cannot, KexecError } from "../errors.ts";
import { Folder, InputFile } from "../linux/file.ts";
import { libc } from "../linux/libc.ts";
import type { Listener } from "../listener.ts";
import {
  type Manifest,
  type ManifestFile,
  maxManifestSize,
  parseManifest,
} from "../trust/manifest.ts";
import { chooseEntry, isForMachine, openRoot } from "./entries.ts";
import { type EntryFile, largestEntry, parseEntry, resemblesEntry } from "./entry-file.ts";
import { openNamed } from "./entry-path.ts";

/** A file to load, and what a manifest says that it must be. */
export interface SourceFile {
  readonly file: InputFile;
  readonly expected: ManifestFile | undefined;
}

/** The manifest that SOURCE is: read once, so that the bytes that are verified are those that count. */
export interface SourceManifest {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
}

/** The boot entry that SOURCE is or leads to; it has no file where the entry is a UKI. */
export interface SourceEntry {
  readonly path: string;
  readonly facts: EntryFile | undefined;
}

/** What is opened, before it is one source. */
export interface Opened {
  readonly kernel: SourceFile;
  readonly initrds: readonly SourceFile[];
  readonly cmdline?: string | undefined;
  readonly manifest?: SourceManifest | undefined;
  readonly entry?: SourceEntry | undefined;
}

/** The boot entry of a directory that has this id, or its default one. */
export function openDirectory(
  directory: string,
  id: string | undefined,
  opening: DisposableStack,
  listener: Listener,
): Opened {
  const root = opening.use(openRoot(directory));
  const { architecture } = libc();
  const chosen = chooseEntry(root, id, architecture, (line) => listener.warn?.(line));
  listener.note?.(`boot entry: ${chosen.path}`);
  const file = opening.use(InputFile.openBelow(root, chosen.path, "boot entry"));
  if (chosen.kind === "entry") return openEntry(file, root, opening, listener);
  return {
    kernel: { file, expected: undefined },
    initrds: [],
    entry: { path: file.path, facts: undefined },
  };
}

/**
 * What a manifest or a boot entry names; undefined where the file is neither.
 * @param start The first bytes of the file.
 * @param admit See `Source.open`.
 */
export async function openDescription(
  file: InputFile,
  start: Uint8Array,
  opening: DisposableStack,
  listener: Listener,
  admit: ((manifest: SourceManifest) => Promise<void>) | undefined,
): Promise<Opened | undefined> {
  const manifest = readManifest(file, start);
  if (manifest !== undefined) {
    await admit?.(manifest);
    return openManifest(manifest, opening);
  }
  if (!resemblesEntry(file.read(0, Math.min(file.size, largestEntry + 1)))) return undefined;
  const root = opening.use(Folder.open(rootOf(file)));
  return openEntry(file, root, opening, listener);
}

/** A manifest is JSON: an object. No image format begins with white space or a brace. */
function readManifest(file: InputFile, head: Uint8Array): SourceManifest | undefined {
  const start = new TextDecoder().decode(head.subarray(0, 64));
  if (!/^\ufeff?\s*\{/.test(start)) return undefined;
  if (file.size > maxManifestSize) {
    throw new KexecError("bad-manifest", {
      message: `${file.path} is not a manifest: larger than ${maxManifestSize} bytes`,
    });
  }
  const bytes = file.read(0, file.size);
  return { path: file.path, bytes, manifest: parseManifest(bytes, file.path) };
}

function openManifest(manifest: SourceManifest, opening: DisposableStack): Opened {
  const { kernel, initrds, cmdline } = manifest.manifest;
  const below = opening.use(Folder.of(manifest.path));
  const openListed = (listed: ManifestFile, what: string): SourceFile => ({
    file: opening.use(openExpected(below, listed, what)),
    expected: listed,
  });
  return {
    kernel: openListed(kernel, "kernel"),
    initrds: initrds.map((listed) => openListed(listed, "initramfs")),
    cmdline,
    manifest,
  };
}

/** Sizes are compared before a byte is read: a wrong one needs no digest. */
function openExpected(folder: Folder, entry: ManifestFile, what: string): InputFile {
  const file = InputFile.openBelow(folder, entry.path, what);
  if (file.size === entry.size) return file;
  file[Symbol.dispose]();
  throw new KexecError("digest-mismatch", {
    message: `cannot use ${file.path}: it has ${file.size} bytes, and the manifest says ${entry.size}`,
    hint: "it is not the file that the manifest was written for, or it was not copied whole",
  });
}

/** The directory that has loader/entries; for an entry elsewhere, the directory that it is in. */
function rootOf(file: InputFile): string {
  const path = file.canonicalPath;
  const root =
    /^(.*)\/loader\/entries\/[^/]+$/.exec(path)?.[1] ?? path.slice(0, path.lastIndexOf("/"));
  return root === "" ? "/" : root;
}

function openEntry(
  file: InputFile,
  root: Folder,
  opening: DisposableStack,
  listener: Listener,
): Opened {
  const { architecture } = libc();
  const { path } = file;
  const entry = parseEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
  if (entry.kind === "broken") {
    throw cannot(`load the boot entry ${path}`, entry);
  }
  if (!isForMachine(entry.architecture, architecture)) {
    throw new KexecError("wrong-architecture", {
      message: `cannot load the boot entry ${path}: it is for ${entry.architecture}, and this machine is ${architecture}`,
      hint: `choose an entry for ${architecture}`,
    });
  }
  if (entry.deviceTree !== undefined) {
    throw new KexecError("kernel-unsuitable", {
      message: `cannot load the boot entry ${path}: it wants a device tree (${entry.deviceTree}), and kexec_file_load passes on the running one`,
      hint: "give its kernel, its initramfs and its options themselves to boot with the running device tree",
    });
  }
  const variable = entry.initrds.find((named) => /(?:^|\s)\$\w/.test(named));
  if (variable !== undefined) {
    throw new KexecError("malformed-input", {
      message: `cannot load the boot entry ${path}: its initrd ${variable} has a variable of GRUB, and its value is not in the entry`,
      hint: "give its kernel, its initramfs and its options themselves",
    });
  }
  // Credentials and extensions, which only systemd-stub hands over.
  if (entry.ignored.includes("extra")) {
    listener.warn?.(`${path}: its extra files do not reach the next kernel`);
  }
  if (entry.ignored.length > 0) {
    listener.note?.(`${path}: nothing is done about its ${entry.ignored.join(", ")}`);
  }
  const opened = (named: string, what: string): SourceFile => ({
    file: opening.use(openNamed(root, named, what)),
    expected: undefined,
  });
  return {
    kernel: opened(entry.image.path, "kernel"),
    initrds: entry.initrds.map((named) => opened(named, "initramfs")),
    cmdline: entry.options,
    entry: { path, facts: entry },
  };
}
