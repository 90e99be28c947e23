/** A directory of ISO images: each is an entry, and one is opened. */

import { cannot, KexecError } from "../../errors.ts";
import { readIso9660 } from "../../image/iso9660.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { compareVersions } from "../../menu/version-order.ts";
import { parseSignature } from "../../trust/signature.ts";
import { besideIn, suffixesIn } from "../beside.ts";
import { MenuReading, noSuchEntry } from "../choose.ts";
import type { FileTree, FoundTree, Listing, Menu, Opened, Opening, Reader } from "../kind.ts";
import { beginningOf } from "../open-file.ts";
import { isoReader } from "./iso.ts";

const mostNames = 65_536;
const mostImages = 1024;
const mostSignatureBytes = 1 << 16;

/** An image, and where `--entry` says so, which entry of it: `debian.iso>live`. */
export interface ImageEntry extends MenuEntry {
  readonly file: string;
  readonly inner: string | undefined;
}

export const isoFolderReader = {
  menu: ({ tree }: FoundTree, opening: Opening) => new IsoFolderMenu(tree, opening),
} satisfies Reader<FoundTree>;

export function hasImages({ tree }: FoundTree): boolean {
  return imagesIn(tree).length > 0;
}

function imagesIn(tree: FileTree): readonly string[] {
  try {
    return (tree.names("", mostNames) ?? []).filter((name) => /\.iso$/i.test(name));
  } catch (error) {
    if (error instanceof KexecError) return [];
    throw error;
  }
}

export class IsoFolderMenu implements Menu<ImageEntry> {
  readonly noun = "ISO image";
  private names: readonly string[] | undefined;

  constructor(
    private readonly tree: FileTree,
    private readonly opening: Opening,
  ) {}

  get path(): string {
    return this.tree.path;
  }

  list(): Listing<ImageEntry> {
    const names = [...imagesIn(this.tree)].sort(compareVersions);
    const entries = names.slice(0, mostImages).map((name) => this.entryOf(name, undefined));
    const several = entries.filter(({ problem }) => problem === undefined).length > 1;
    return {
      entries,
      why: "the first by its name",
      warnings: several
        ? [`${this.path}: of several ISO images the first is taken; name another with --entry`]
        : [],
    };
  }

  find(id: string): ImageEntry | undefined {
    const names = imagesIn(this.tree);
    const inner = /^(.*?\.iso)>(.+)$/is.exec(id);
    const file = names.find((name) => name === (inner?.[1] ?? id));
    if (file !== undefined) return this.entryOf(file, inner?.[2]);
    // A label or a number: all of them have to be read.
    if (inner === null) return undefined;
    throw noSuchEntry(
      this,
      id,
      names.map((name) => ({ id: name })),
    );
  }

  async open(entry: ImageEntry, opening: Opening): Promise<Opened> {
    const menu = await this.menuOf(entry, opening);
    opening.listener.note?.(`ISO image: ${entry.file}`);
    return new MenuReading(menu).open(entry.inner, opening);
  }

  below(entry: ImageEntry): Promise<Menu> {
    return this.menuOf(entry, this.opening);
  }

  private menuOf({ file, problem }: ImageEntry, opening: Opening): Promise<Menu> {
    if (problem !== undefined) {
      throw cannot(`boot the ISO image ${this.path}/${file}`, {
        code: "malformed-input",
        details: { path: `${this.path}/${file}` },
        why: problem,
      });
    }
    const image = opening.held.use(this.tree.open(file, "ISO image"));
    const found = {
      file: image,
      beginning: beginningOf(image),
      openBelow: (path: string, what: string) => this.tree.open(path, what),
      openBeside: besideIn(this.tree, file),
      treeAbove: () => undefined,
    };
    return isoReader.menu(found, opening);
  }

  private entryOf(file: string, inner: string | undefined): ImageEntry {
    const signature = this.signatureOf(file);
    const facts = this.factsOf(file);
    const unsigned =
      this.opening.admission.required && signature === undefined
        ? "it has no signature"
        : undefined;
    return {
      id: inner === undefined ? file : `${file}>${inner}`,
      title: `${facts.label === "" ? file : facts.label} (${signature ?? "no signature"})`,
      kernel: undefined,
      initrds: [],
      cmdline: undefined,
      default: false,
      problem: facts.problem ?? unsigned,
      from: file,
      file,
      inner,
    };
  }

  private factsOf(file: string): { readonly label: string; readonly problem?: string } {
    try {
      using image = this.tree.open(file, "ISO image");
      const volume = readIso9660(image);
      if (volume?.kind === "iso9660") return { label: volume.label };
      return { label: "", problem: volume?.why ?? "it is not an ISO 9660 image" };
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      return { label: "", problem: error.message };
    }
  }

  /** Of further signers: `.NAME.minisig`, `.NAME.sig`. */
  private otherSuffixes(file: string): readonly string[] {
    this.names ??= this.tree.names("", mostNames) ?? [];
    return suffixesIn(this.names, file).filter((suffix) => /^\..+\.(?:minisig|sig)$/.test(suffix));
  }

  /** What lies beside it, not whether it is good: that takes the whole image. */
  private signatureOf(file: string): string | undefined {
    for (const suffix of [".minisig", ".sig", ...this.otherSuffixes(file)]) {
      try {
        using beside = this.tree.open(`${file}${suffix}`, "signature");
        const bytes = beside.read(0, Math.min(beside.size, mostSignatureBytes));
        const signature = parseSignature(bytes, `${file}${suffix}`);
        return signature.format === "minisign"
          ? `signature by key ${signature.keyId}, not looked at yet`
          : "signature, not looked at yet";
      } catch (error) {
        if (!(error instanceof KexecError)) throw error;
        if (error.errno !== "ENOENT") return "a signature that cannot be read";
      }
    }
    return undefined;
  }
}
