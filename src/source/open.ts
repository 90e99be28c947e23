/** SOURCE and the files that go with it, opened once each. From here on nothing is found by name. */
import { KexecError } from "../errors.ts";
import { Folder, InputFile, statusOfPath } from "../linux/file.ts";
import { libc } from "../linux/libc.ts";
import type { Architecture } from "../linux/syscalls.ts";
import {
  type Manifest,
  type ManifestFile,
  maxManifestSize,
  parseManifest,
} from "../trust/manifest.ts";
import { chooseEntry, isForMachine } from "./entries.ts";
import { type EntryFile, largestEntry, parseEntry, resemblesEntry } from "./entry-file.ts";
import type { Listener } from "./part.ts";

/** Bytes at the start of a file that tell an image from a text. */
const imageHead = 512;

/** What to boot, as the user named it. */
export interface Wanted {
  readonly kernel: string;
  readonly initrd: readonly string[];
  /** Of a directory: the id of the boot entry. Undefined: its default. */
  readonly entry?: string | undefined;
}

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
interface Opened {
  readonly kernel: SourceFile;
  readonly initrds: readonly SourceFile[];
  readonly cmdline?: string | undefined;
  readonly manifest?: SourceManifest | undefined;
  readonly entry?: SourceEntry | undefined;
}

/** An open source. Dispose of it to close its files. */
export class Source implements Disposable {
  private constructor(
    readonly path: string,
    /** A kernel image, compressed or not, or a UKI: see `KernelSource`. */
    readonly kernel: SourceFile,
    /** Those that SOURCE names, then those that the user gave; without what is in a UKI. */
    readonly initrds: readonly SourceFile[],
    /** The command line of a manifest or a boot entry; that of a UKI is in its image. */
    readonly cmdline: string | undefined,
    readonly manifest: SourceManifest | undefined,
    readonly entry: SourceEntry | undefined,
    private readonly opened: DisposableStack,
  ) {}

  /**
   * @param admit Called with the manifest that SOURCE is, before any file that it names is opened;
   * it throws to refuse.
   * @throws KexecError of InputFile.open, parseManifest, parseEntry, chooseEntry and `admit`
   */
  static async open(
    wanted: Wanted,
    listener: Listener = {},
    admit?: (manifest: SourceManifest) => Promise<void>,
  ): Promise<Source> {
    using opening = new DisposableStack();
    const { architecture } = libc();
    const { kernel, initrds, cmdline, manifest, entry } = await openSource(
      wanted,
      architecture,
      opening,
      listener,
      admit,
    );
    const all = [
      ...initrds,
      ...wanted.initrd.map((path) => ({
        file: opening.use(InputFile.open(path, "initramfs")),
        expected: undefined,
      })),
    ];
    // Where they are digested one by one, the device reads all of them meanwhile.
    if (manifest !== undefined) for (const { file } of [kernel, ...all]) file.readAhead();
    return new Source(wanted.kernel, kernel, all, cmdline, manifest, entry, opening.move());
  }

  [Symbol.dispose](): void {
    this.opened.dispose();
  }
}

async function openSource(
  wanted: Wanted,
  architecture: Architecture,
  opening: DisposableStack,
  listener: Listener,
  admit: ((manifest: SourceManifest) => Promise<void>) | undefined,
): Promise<Opened> {
  const status = statusOfPath(wanted.kernel);
  if (typeof status !== "number" && status.type === "directory") {
    const root = opening.use(Folder.open(wanted.kernel));
    const chosen = chooseEntry(root, wanted.entry, architecture, (line) => listener.warn?.(line));
    listener.note?.(`boot entry: ${chosen.path}`);
    const file = opening.use(InputFile.openBelow(root, chosen.path, "boot entry"));
    if (chosen.kind === "entry") return openEntry(file, root, architecture, opening, listener);
    return {
      kernel: { file, expected: undefined },
      initrds: [],
      entry: { path: file.path, facts: undefined },
    };
  }
  if (wanted.entry !== undefined) {
    throw new KexecError("usage", {
      message: `cannot use --entry ${wanted.entry}: ${wanted.kernel} is not a directory of boot entries`,
      hint: "give the directory that has loader/entries or EFI/Linux, or the entry's file alone",
    });
  }
  const file = opening.use(InputFile.open(wanted.kernel, "kernel"));
  const image = { kernel: { file, expected: undefined }, initrds: [] };
  const start = file.read(0, Math.min(file.size, imageHead));
  // Every image has a NUL there, and no text has: most files need no second look.
  if (start.includes(0)) return image;
  const manifest = readManifest(file, start);
  if (manifest !== undefined) {
    await admit?.(manifest);
    return openManifest(manifest, opening);
  }
  if (!resemblesEntry(file.read(0, Math.min(file.size, largestEntry + 1)))) return image;
  const root = opening.use(Folder.open(rootOf(file)));
  return openEntry(file, root, architecture, opening, listener);
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
  architecture: Architecture,
  opening: DisposableStack,
  listener: Listener,
): Opened {
  const { path } = file;
  const entry = parseEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
  if (entry.kind === "broken") {
    throw new KexecError(entry.code, {
      message: `cannot load the boot entry ${path}: ${entry.problem}`,
    });
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
  if (entry.ignored.length > 0) {
    listener.note?.(`${path}: nothing is done about its ${entry.ignored.join(", ")}`);
  }
  const openNamed = (named: string, what: string): SourceFile => ({
    file: opening.use(InputFile.openBelow(root, named, what)),
    expected: undefined,
  });
  return {
    kernel: openNamed(entry.image.path, "kernel"),
    initrds: entry.initrds.map((named) => openNamed(named, "initramfs")),
    cmdline: entry.options,
    entry: { path, facts: entry },
  };
}
