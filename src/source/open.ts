/** SOURCE and the files that go with it, opened once each. From here on nothing is found by name. */
import { KexecError } from "../errors.ts";
import { InputFile } from "../linux/file.ts";
import { isDirectory } from "../linux/path.ts";
import type { Listener } from "../listener.ts";
import type { Opened, SourceEntry, SourceFile, SourceManifest } from "./described.ts";

export type { SourceEntry, SourceFile, SourceManifest } from "./described.ts";

/** Bytes at the start of a file that tell an image from a text. */
const imageHead = 512;

/** What to boot, as the user named it. */
export interface Wanted {
  readonly kernel: string;
  readonly initrd: readonly string[];
  /** Of a directory: the id of the boot entry. Undefined: its default. */
  readonly entry?: string | undefined;
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
    const { kernel, initrds, cmdline, manifest, entry } = await openSource(
      wanted,
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
  opening: DisposableStack,
  listener: Listener,
  admit: ((manifest: SourceManifest) => Promise<void>) | undefined,
): Promise<Opened> {
  if (isDirectory(wanted.kernel)) {
    const { openDirectory } = await import("./described.ts");
    return openDirectory(wanted.kernel, wanted.entry, opening, listener);
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
  const { openDescription } = await import("./described.ts");
  return (await openDescription(file, start, opening, listener, admit)) ?? image;
}
