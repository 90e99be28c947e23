/**
 * What a kind of source is: the contract between `Source.open`, which knows no kind, and the files
 * that know one each.
 *
 * Three questions, three answers:
 *
 * - *Where is it?* A `Place` (place.ts) turns SOURCE into what was found there: an open file with
 *   the ways to the files around it (`FoundFile`), or a tree of files (`FoundTree`). A path, a place
 *   on a disk and a URL differ here and nowhere else.
 * - *What is it?* kinds.ts has a row for each kind, in the order in which they are tried: its name
 *   and `resembles`, which is asked with the beginning of the file, and must be cheap. The first row
 *   that says yes decides; nothing is tried after it. A plain kernel and a plain manifest are asked
 *   for first, by recognise.ts, so that the table is not loaded for one.
 * - *What does it boot?* The kind's own file, loaded only then, is a `Reader`. One that has a menu
 *   returns that and no more: choosing by `--entry`, listing in `inspect` and warning of entries
 *   that are passed over is the same for all (choose.ts). Any other opens what it names (`Opened`).
 *
 * A new kind is a row in kinds.ts and a file with its reader. Everything that is read is untrusted:
 * bound sizes, counts and depth before the bytes are looked at. Whatever is opened goes on
 * `opening.held`, so that it is closed however the opening ends.
 */
import type { Architecture } from "../architecture.ts";
import type { Listener } from "../listener.ts";
import type { MenuEntry } from "../menu/entry.ts";
import type { Manifest, ManifestFile } from "../trust/manifest.ts";
import type { EntryFile } from "./entry/file.ts";
import type { HeldFile, OpenBeside, OpenFile, SourceFile } from "./open-file.ts";

/** Files below a folder of a disk, of a mount that has no path, of an ISO image. */
export interface FileTree {
  /** What messages call it, without a slash at its end but for `/`. */
  readonly path: string;
  /** Canonical and absolute where it has a place in a file system; `path` where not. */
  readonly canonicalPath: string;
  /** Where `canonicalPath` is no place: the path by which what is in it can be changed, if it can be. */
  readonly changeable?: string | undefined;
  /** Where `canonicalPath` is no place: how another system finds it. */
  readonly lasting?: string | undefined;
  /**
   * Opens a file for reading. Its path counts from the tree's root, with or without a slash in
   * front, and stays below it wherever symbolic links lead.
   * @param what names its part in messages: "kernel", "initramfs", "boot menu"
   * @throws KexecError `file-not-found`, `file-unreadable`, `not-a-regular-file`, `file-empty`,
   *   `outside-folder`, `io-error`
   */
  open(path: string, what: string): HeldFile;
  /**
   * Names in a directory of it (`""`: its root), in no order; undefined where there is no such
   * directory. Reading stops once there are more than `limit`.
   */
  names(path: string, limit: number): readonly string[] | undefined;
}

/** A file that SOURCE is, and the ways from it to others. */
export interface FoundFile {
  readonly file: OpenFile;
  /** Its first bytes, at most 1024. */
  readonly beginning: Uint8Array;
  /**
   * Opens a file that stands in its folder or below, by a path relative to that: what a manifest
   * names. `expected` bounds what is fetched from a server; bytes in front of `from` will not be read,
   * as whoever asks has them already.
   */
  openBelow(
    path: string,
    what: string,
    expected: ManifestFile | undefined,
    from?: number,
  ): HeldFile | Promise<HeldFile>;
  readonly openBeside: OpenBeside;
  /**
   * The tree `levels` folders above the one that it is in; undefined where nothing is known above
   * it, as on a server. The tree is the caller's to close.
   */
  treeAbove(levels: number): (FileTree & Disposable) | undefined;
}

/** A directory that SOURCE is. */
export interface FoundTree {
  readonly tree: FileTree;
  /**
   * The same, mounted so that it can be written to and its journal was replayed; what was found before is closed.
   * Undefined where it is what it is. Where the disk cannot be written to it is read-only again, and told.
   */
  readonly reopen?: (() => FoundTree) | undefined;
  /** See `FoundFile.treeAbove`; 0 is the directory itself. */
  treeAbove(levels: number): (FileTree & Disposable) | undefined;
}

/** What the opening of a source is given, and where it puts what it opens. */
export interface Opening {
  /** This machine's. */
  readonly architecture: Architecture;
  readonly listener: Listener;
  readonly admission: Admission;
  /** Whether what is opened is to be started, so that tries are counted. */
  readonly starts: boolean;
  /** Closes what was opened, when the source is disposed of or could not be opened. */
  readonly held: DisposableStack;
  /** Opens a file that an entry leads to: a UKI, a manifest, an ISO image and its default. */
  follow(found: FoundFile): Promise<Opened>;
}

/** The part of the gate (handoff/gate) that is passed while a source is opened. */
export interface Admission {
  /**
   * Whether a signature is required. Then whatever of a file is used has to be copied before it is
   * believed, so that the signature of the whole file can be checked over those copies: see `Whole`.
   */
  readonly required: boolean;
  /** Types of file systems that may be mounted to read a source; undefined: all that are known. */
  readonly fileSystems: readonly string[] | undefined;
  /**
   * Judges a manifest; it is called before any file that the manifest names is opened.
   * @throws KexecError to refuse
   */
  admit(manifest: SourceManifest): Promise<void>;
  /**
   * Judges a file of which parts were used, where opening it fails: what was changed in it is not
   * trusted, whatever the change has broken.
   * @throws KexecError to refuse
   */
  judgeWhole(whole: Whole): Promise<void>;
  /**
   * Judges an image of which only the beginning came yet, by what lies beside it.
   * @throws KexecError to refuse
   */
  admitUnseen?(image: Unseen): Promise<void>;
  /** @throws KexecError where so many bytes more cannot be held in memory */
  requireRoom?(bytes: number): void;
}

/** An image that is not here yet. */
export interface Unseen {
  readonly path: string;
  readonly openBeside: OpenBeside;
}

/** The manifest that SOURCE is: read once, so that the bytes that are verified are those that count. */
export interface SourceManifest {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly manifest: Manifest;
  readonly openBeside: OpenBeside;
}

/** The boot entry that SOURCE is or leads to; it has no facts where the entry is a UKI. */
export interface SourceEntry {
  readonly path: string;
  readonly facts: EntryFile | undefined;
}

/**
 * A file of which a detached signature covers kernel, archives and command line: an ISO image. Its
 * digest is taken with the copies in the places that they were copied from.
 */
export interface Whole {
  readonly file: OpenFile;
  readonly copies: readonly { readonly offset: number; readonly bytes: OpenFile }[];
  readonly openBeside: OpenBeside;
}

/** What a source boots. */
export interface Opened {
  readonly kernel: SourceFile;
  /** In the order in which they are joined; those inside of a UKI are not among them. */
  readonly initrds: readonly SourceFile[];
  /** Undefined: the kernel's file brings its own, or there is none. */
  readonly cmdline?: string | undefined;
  /**
   * What a signature covers: the manifest, or `whole`; where there is neither, the kernel's file,
   * which is enough where that is a UKI.
   */
  readonly manifest?: SourceManifest | undefined;
  readonly whole?: Whole | undefined;
  /** Why the next system would not find what it lies in, and which words to give so that it does. */
  readonly blind?: { readonly why: string; readonly give: string } | undefined;
  /** Says of all archives, those of the user among them, what the next system would miss in them. */
  readonly lookAtArchives?: ((archives: readonly OpenFile[]) => Promise<void>) | undefined;
  /** Throws where what is read in place is no longer what it was when it was opened. */
  readonly requireUnchanged?: (() => void) | undefined;
  /** What brings no command line and takes the running kernel's, if that has a root. */
  readonly borrower?: string | undefined;
  /** What chose the files and is signed by nobody. */
  readonly entry?: SourceEntry | undefined;
  /** What the machine's boot loader would write in starting this; done once the kernel took it. */
  readonly afterwards?: readonly Afterwards[] | undefined;
  /** Of a counted entry or a generation: where the next system finds it, for `bless`. */
  readonly from?: string | undefined;
}

export interface Afterwards {
  /** In words that follow "cannot". */
  readonly what: string;
  /** It takes one try: done as well where the kernel refuses what was opened. */
  readonly counts?: true;
  /** @returns why it could not be done; undefined where it was. @throws KexecError */
  make(): string | undefined;
}

/** The entries of a menu, in its order. */
export interface Listing<E extends MenuEntry = MenuEntry> {
  readonly entries: readonly E[];
  /** What made the default the default: `saved_entry in grubenv`. */
  readonly why?: string | undefined;
  /** What is said where the default is taken. */
  readonly warnings?: readonly string[];
}

/** A source that has entries to choose from, and how one is opened. */
export interface Menu<E extends MenuEntry = MenuEntry> {
  /** What messages call one: "boot entry", "menu entry", "generation". */
  readonly noun: string;
  /** What messages call the menu: the path of its file or directory. */
  readonly path: string;
  /** Reads all of them. It is called once. */
  list(): Listing<E> | Promise<Listing<E>>;
  /**
   * The entry of an id, where that can be told without reading all of them.
   * @throws KexecError where it can be told, and there is none
   */
  find?(id: string): E | undefined;
  /** Opens what an entry boots; `openEntryFiles` of choose.ts is enough for most. */
  open(entry: E, opening: Opening): Opened | Promise<Opened>;
  /** The menu that an entry leads to, for somebody who chooses: the entries in it are named `ID>ENTRY`. */
  below?(entry: E): Promise<Menu>;
  /** Hears that its entries could not be read, chosen or opened; what it throws counts instead. */
  failed?(): Promise<void>;
  /** Opens the default, where only trying tells which it is: the generation that verifies. */
  openDefault?(opening: Opening): Promise<Opened>;
  /** Of a store: the highest generation above this one that verifies and was blessed. */
  blessedAbove?(generation: number): Promise<{ readonly generation: number } | undefined>;
}

/** A manifest that was admitted, whose files are opened one by one: what `fetch` stores. */
export interface Generation {
  readonly manifest: SourceManifest;
  /**
   * Opens a file that the manifest names; it has the manifest's size, and is the caller's to close.
   * @param from See `FoundFile.openBelow`.
   * @throws KexecError
   */
  open(listed: ManifestFile, what: string, from: number): Promise<HeldFile>;
}

/** Knows one kind: it opens what a source boots, or tells the menu to choose from. */
export type Reader<Found> = (
  | { readonly open: (found: Found, opening: Opening) => Opened | Promise<Opened> }
  | { readonly menu: (found: Found, opening: Opening) => Menu | Promise<Menu> }
) & {
  /** Of a kind that is, or has, signed generations: the one to store. */
  readonly generation?: (
    found: Found,
    opening: Opening,
    entry: string | undefined,
  ) => Promise<Generation>;
};

/** What `inspect` calls a manifest. */
export const manifestKind = "manifest";

/** JSON: an object. No image format begins with white space or a brace. */
export function resemblesManifest(beginning: Uint8Array): boolean {
  return /^\ufeff?\s*\{/.test(new TextDecoder().decode(beginning.subarray(0, 64)));
}

/** A row of the table of kinds. */
export interface SourceKind<Found> {
  /** What `inspect` calls it. */
  readonly name: string;
  /** Of a folder: its files go together by their names alone, so that a manifest of them counts before it. */
  readonly mayBeGeneration?: true;
  /** Whether it looks like one of this kind: few bytes, few names. The reader may still refuse it. */
  resembles(found: Found): boolean | Promise<boolean>;
  /** Imports the file that knows it. */
  reader(): Reader<Found> | Promise<Reader<Found>>;
}
