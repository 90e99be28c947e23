/** SOURCE and the files that go with it, opened once each. From here on nothing is found by name. */
import { cannot } from "../errors.ts";
import { InputFile } from "../linux/file.ts";
import { libc } from "../linux/libc.ts";
import type { Listener } from "../listener.ts";
import type { MenuReading } from "./choose.ts";
import {
  type Admission,
  type FoundTree,
  type Generation,
  manifestKind,
  type Opened,
  type Opening,
  type SourceEntry,
  type SourceManifest,
  type Whole,
} from "./kind.ts";
import { readAhead, type SourceFile } from "./open-file.ts";
import { type Found, findSource, isTree, shownSource } from "./place.ts";
import { type Recognised, recognise } from "./recognise.ts";

export type { SourceEntry, SourceManifest } from "./kind.ts";
export type { SourceFile } from "./open-file.ts";

/** What to boot, as the user named it. */
export interface Wanted {
  readonly source: string;
  readonly initrd: readonly string[];
  /** Of a menu: which entry. Undefined: its default. */
  readonly entry?: string | undefined;
  /** Seconds to wait for the disk or the server that it is on; undefined: as long as `defaultWait`. */
  readonly wait?: number | undefined;
  /** Of a server: whom to trust for it, and who this machine is to it. Paths. */
  readonly ca?: string | undefined;
  readonly clientCert?: string | undefined;
  readonly clientKey?: string | undefined;
  /** Ends what waits for a server. */
  readonly signal?: AbortSignal | undefined;
  /** Of a folder that has a manifest: what that would be about, and not the manifest. */
  readonly anew?: boolean | undefined;
  /** See `Opening.starts`. */
  readonly starts?: boolean | undefined;
}

/** Nothing is demanded. */
const admitAll: Admission = {
  required: false,
  fileSystems: undefined,
  admit: async () => undefined,
  judgeWhole: async () => undefined,
};

/**
 * SOURCE, found and recognised; `open` opens what it boots. Dispose of it to close whatever was
 * opened on the way.
 */
export class FoundSource implements Disposable {
  private reading: Promise<MenuReading | undefined> | undefined;

  private constructor(
    readonly path: string,
    readonly found: Found,
    private readonly recognised: Recognised,
    private readonly opening: Opening,
  ) {}

  /** @throws KexecError where SOURCE cannot be opened */
  static async find(
    wanted: Omit<Wanted, "initrd" | "entry">,
    listener: Listener = {},
    admission: Admission = admitAll,
  ): Promise<FoundSource> {
    const {
      source,
      wait,
      anew = false,
      starts = false,
      ca,
      clientCert,
      clientKey,
      signal,
    } = wanted;
    const network = { ca, clientCert, clientKey, signal };
    using guard = new DisposableStack();
    const held = guard.use(new DisposableStack());
    const place = await findSource(source, held, { wait, network, listener, admission });
    const named = await recognise(place);
    const own =
      isTree(place) && !anew ? await ownManifest(place, named, held, listener) : undefined;
    const found = own ?? place;
    const recognised = own === undefined ? named : await recognise(own);
    const opening: Opening = {
      architecture: libc().architecture,
      listener,
      admission,
      starts,
      held,
      follow: async (other) => openRecognised(await recognise(other), undefined, opening),
    };
    guard.move();
    return new FoundSource(shownSource(source), found, recognised, opening);
  }

  /** The kind's name, as `inspect` shows it. */
  get kind(): string {
    return this.recognised.name;
  }

  /** Its menu; undefined where its kind has none. @throws KexecError of the kind's reader */
  menu(): Promise<MenuReading | undefined> {
    this.reading ??= readMenu(this.recognised, this.opening);
    return this.reading;
  }

  /** @throws KexecError of the kind's reader, `MenuReading.choose` and `Admission.admit` */
  async open(entry: string | undefined): Promise<Opened> {
    this.requireMenuFor(entry);
    const { recognised } = this;
    if (recognised.open !== undefined) return recognised.open(await this.openingFor(entry));
    return openRecognised(recognised, entry, await this.openingFor(entry), await this.menu());
  }

  private openingFor(entry: string | undefined): Opening | Promise<Opening> {
    const { opening, path } = this;
    if (entry === undefined || this.kind !== manifestKind) return opening;
    return import("./generations/manifest-entry.ts").then(({ openingOnly }) =>
      openingOnly(opening, entry, path),
    );
  }

  private requireMenuFor(entry: string | undefined): void {
    const { kind, found, recognised } = this;
    if (entry === undefined || kind === manifestKind || isTree(found)) return;
    if (recognised.menu === undefined) {
      throw cannot(`use --entry ${entry}`, {
        code: "usage",
        why: `${this.path} has no entries to choose from`,
        hint: "leave --entry out, or give a directory, a boot menu or an ISO image",
      });
    }
  }

  /**
   * The signed generation that it is, or the one of its generations that `entry` names or that is its
   * default: admitted, and none of its files opened.
   * @throws KexecError `usage` where it is none, and those of the kind's reader
   */
  async generation(entry: string | undefined): Promise<Generation> {
    this.requireMenuFor(entry);
    const { recognised, path } = this;
    const generation = await recognised.generation(await this.openingFor(entry), entry);
    if (generation !== undefined) return generation;
    throw cannot(`fetch ${path}`, {
      code: "usage",
      details: { path },
      why: `it has no generation (what is there: ${this.kind})`,
      hint: "give a manifest (boot.json), or a folder of generations",
    });
  }

  [Symbol.dispose](): void {
    this.opening.held.dispose();
  }
}

/** A folder that is a generation itself is taken as its manifest; one that has a choice of its own has that. */
async function ownManifest(
  folder: FoundTree,
  { name, mayBeGeneration }: Recognised,
  held: DisposableStack,
  listener: Listener,
): Promise<Found | undefined> {
  const { manifestOf, hasManifest } = await import("./generations/own.ts");
  if (mayBeGeneration) return manifestOf(folder.tree, held);
  if (hasManifest(folder.tree)) {
    listener.warn?.(
      `${folder.tree.path} is taken for its ${name}, and its boot.json is left alone`,
    );
  }
  return undefined;
}

async function readMenu(
  recognised: Recognised,
  opening: Opening,
): Promise<MenuReading | undefined> {
  if (recognised.menu === undefined) return undefined;
  const { MenuReading } = await import("./choose.ts");
  return new MenuReading(await recognised.menu(opening));
}

async function openRecognised(
  recognised: Recognised,
  entry: string | undefined,
  opening: Opening,
  reading?: MenuReading,
): Promise<Opened> {
  if (recognised.open !== undefined) return recognised.open(opening);
  const menu = reading ?? (await readMenu(recognised, opening));
  if (menu === undefined) throw new TypeError("a kind opens, or has a menu");
  return menu.open(entry, opening);
}

/** An open source. Dispose of it to close its files. */
export class Source implements Disposable {
  private constructor(
    readonly path: string,
    /** Those that SOURCE names, then those that the user gave; without what is in a UKI. */
    readonly initrds: readonly SourceFile[],
    private readonly opened: Opened,
    private readonly held: DisposableStack,
  ) {}

  /** A kernel image, compressed or not, or a UKI: see `KernelSource`. */
  get kernel(): SourceFile {
    return this.opened.kernel;
  }

  /** The command line of a manifest or an entry; that of a UKI is in its image. */
  get cmdline(): string | undefined {
    return this.opened.cmdline;
  }

  get manifest(): SourceManifest | undefined {
    return this.opened.manifest;
  }

  get whole(): Whole | undefined {
    return this.opened.whole;
  }

  get entry(): SourceEntry | undefined {
    return this.opened.entry;
  }

  get blind(): Opened["blind"] {
    return this.opened.blind;
  }

  get borrower(): string | undefined {
    return this.opened.borrower;
  }

  get from(): string | undefined {
    return this.opened.from;
  }

  get afterwards(): NonNullable<Opened["afterwards"]> {
    return this.opened.afterwards ?? [];
  }

  /**
   * @param admission The gate that is passed on the way.
   * @throws KexecError of `FoundSource.find`, `FoundSource.open` and InputFile.open
   */
  static async open(
    wanted: Wanted,
    listener: Listener = {},
    admission: Admission = admitAll,
  ): Promise<Source> {
    using held = new DisposableStack();
    const found = held.use(await FoundSource.find(wanted, listener, admission));
    const source = await Source.of(found, wanted);
    source.held.use(held.move());
    return source;
  }

  /**
   * @param found Stays the caller's, and must outlive this.
   * @throws KexecError of `FoundSource.open` and InputFile.open
   */
  static async of(found: FoundSource, wanted: Pick<Wanted, "initrd" | "entry">): Promise<Source> {
    using held = new DisposableStack();
    const opened = await found.open(wanted.entry);
    const { kernel, initrds, manifest } = opened;
    const all = [
      ...initrds,
      ...wanted.initrd.map((path) => ({
        file: held.use(InputFile.open(path, "initramfs")),
        expected: undefined,
      })),
    ];
    // Where they are digested one by one, the device reads all of them meanwhile.
    if (manifest !== undefined) for (const { file } of [kernel, ...all]) readAhead(file);
    await opened.lookAtArchives?.(all.map(({ file }) => file));
    return new Source(found.path, all, opened, held.move());
  }

  /**
   * To be called once all of it was read.
   * @throws KexecError `file-changed`
   */
  requireUnchanged(): void {
    this.opened.requireUnchanged?.();
  }

  [Symbol.dispose](): void {
    this.held.dispose();
  }
}
