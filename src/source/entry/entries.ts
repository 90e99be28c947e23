/** The boot entries of a partition: which there are, in what order, and which one is meant. */

import type { Architecture } from "../../architecture.ts";
import { cannot, KexecError } from "../../errors.ts";
import { type ByteSource, budgeted, ReadBudget } from "../../image/bytes.ts";
import { type PeMachine, readPe } from "../../image/pe.ts";
import { recogniseImage } from "../../image/recognise.ts";
import { assigned, readUki, readUkiText, ukiSection } from "../../image/uki.ts";
import { wordsOf } from "../../menu/blanks.ts";
import type { MenuEntry } from "../../menu/entry.ts";
import { warnOfAddons } from "../addons.ts";
import { besideIn } from "../beside.ts";
import { noSuchEntry } from "../choose.ts";
import type {
  Afterwards,
  FileTree,
  FoundTree,
  Listing,
  Menu,
  Opened,
  Opening,
  Reader,
} from "../kind.ts";
import { counted } from "../menus/counted.ts";
import { menusBesideEntries } from "../menus/find.ts";
import { loaderDefault } from "../menus/loader.ts";
import { openEntry, withoutArchives } from "./entry.ts";
import { type EntryFile, isForMachine, largestEntry, parseEntry } from "./file.ts";
import { type FoundEntry, findEntries, pickNamed, rootOf } from "./find.ts";
import { compareEntries, type EntryName, type Sortable } from "./order.ts";
import { openNamed } from "./path.ts";
import { type Expand, FolderVariables } from "./variables.ts";

/** A boot entry of a directory. */
export interface ListedEntry extends Sortable, MenuEntry {
  /** `entry`: a file in loader/entries; `uki`: an image in EFI/Linux. */
  readonly kind: "entry" | "uki";
  /** Relative to the directory. */
  readonly path: string;
}

/** The files of so many are opened when the default is wanted. */
const mostEntries = 4096;
const longestOsRelease = 16 << 10;
/** Bytes that are read to list a folder, and of one file of it: nobody vouches for any of them. */
const listingBudget = 2 << 20;
const fileBudget = 32 << 10;

/** A source whose reads are counted. */
type Limited = (source: ByteSource) => ByteSource;

export const entriesReader = {
  menu: (found: FoundTree, { architecture, held }: Pick<Opening, "architecture" | "held">) =>
    new EntriesMenu(rootOf(found, held), architecture),
} satisfies Reader<FoundTree>;

/** The boot entries of a partition. */
class EntriesMenu implements Menu<ListedEntry> {
  readonly noun = "boot entry";
  /** What the loader writes when it starts its default. */
  private afterwards: readonly Afterwards[] = [];

  constructor(
    private readonly root: FileTree,
    private readonly architecture: Architecture,
  ) {}

  get path(): string {
    return this.root.path;
  }

  /**
   * Every boot entry in the order of the specification: the default is the first one that can be
   * booted. Reads each entry, and of each UKI its headers.
   * @throws KexecError `file-too-large` above 4096 entries, `io-error`
   */
  list(): Listing<ListedEntry> {
    const { root, architecture } = this;
    const found = findEntries(root);
    if (found.length > mostEntries) {
      throw cannot(`choose a boot entry in ${root.path}`, {
        code: "file-too-large",
        details: { path: root.path },
        why: `it has more than ${mostEntries} entries`,
        hint: "name one with --entry, or give its file",
      });
    }
    const budget = new ReadBudget(listingBudget);
    const limited = (source: ByteSource) =>
      budgeted(budgeted(source, new ReadBudget(fileBudget)), budget);
    const variables = new FolderVariables(root);
    const sorted = found
      .map((file) => readListed(root, file, architecture, limited, variables))
      .sort(compareEntries);
    const warnings = sorted.flatMap(({ path, problem }) =>
      problem === undefined ? [] : [`the boot entry ${path} is passed over: ${problem}`],
    );
    const menus = menusBesideEntries(root);
    if (menus.length > 0) {
      warnings.push(`the boot entries of ${root.path} are taken, and not ${menus.join(", ")}`);
    }
    const { index, why, afterwards } = loaderDefault(root, sorted, warnings);
    const named = index === undefined ? undefined : sorted[index];
    const first = sorted.findIndex(({ problem }) => problem === undefined);
    const followed = named !== undefined && named.problem === undefined;
    const chosen = followed ? index : first;
    this.afterwards = followed || named === undefined ? afterwards : [];
    return {
      entries: sorted.map((entry, at) => ({ ...entry, default: at === chosen })),
      why: followed ? why : "the first in the order of the specification",
      warnings,
    };
  }

  /** By the names of files alone. */
  find(id: string): ListedEntry | undefined {
    const entries = findEntries(this.root);
    const found = pickNamed(entries, id);
    if (found !== undefined) {
      return { ...found, ...nothing, from: found.path, problem: undefined };
    }
    // So many are not read; a title is not looked for.
    if (entries.length > mostEntries) throw noSuchEntry(this, id, entries);
    return undefined;
  }

  open(entry: ListedEntry, opening: Opening): Opened {
    const written = entry.default ? this.afterwards : [];
    return counted(this.openFiles(entry, opening), this.root, entry, written, opening.listener);
  }

  private openFiles({ kind, path }: ListedEntry, opening: Opening): Opened {
    opening.listener.note?.(`boot entry: ${path}`);
    const file = opening.held.use(this.root.open(path, "boot entry"));
    if (kind === "entry") return openEntry(file, this.root, opening);
    warnOfAddons(file, this.root, path, this.root, opening.listener);
    return {
      kernel: {
        file,
        expected: undefined,
        openBeside: besideIn(this.root, path),
      },
      initrds: [],
      entry: { path: file.path, facts: undefined },
    };
  }
}

/** What is not known of an entry whose file was not read, or cannot be. */
const nothing = {
  title: undefined,
  version: undefined,
  machineId: undefined,
  sortKey: undefined,
  kernel: undefined,
  initrds: [],
  cmdline: undefined,
  default: false,
} as const;

function readListed(
  root: FileTree,
  found: FoundEntry,
  architecture: Architecture,
  limited: Limited,
  variables: FolderVariables,
): ListedEntry {
  const { path } = found;
  const entry = { ...found, ...nothing, from: path };
  try {
    using file = root.open(path, "boot entry");
    const facts =
      found.kind === "entry"
        ? entryFacts(
            root,
            limited(file),
            limited,
            variables.expansionOf(path, () => undefined),
          )
        : ukiFacts(limited(file), path);
    if ("why" in facts) return { ...entry, problem: facts.why };
    const { architecture: named, fault, ...known } = facts;
    const problem = isForMachine(named, architecture) ? fault : `it is for ${named}`;
    return { ...entry, ...known, problem };
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return { ...entry, problem: error.message };
  }
}

interface Facts
  extends Omit<Sortable, keyof EntryName>,
    Pick<MenuEntry, "title" | "kernel" | "initrds" | "cmdline"> {
  readonly architecture: string | undefined;
  readonly fault: string | undefined;
}

function entryFacts(
  root: FileTree,
  file: ByteSource,
  limited: Limited,
  expand: Expand,
): Facts | { readonly why: string } {
  const entry = parseEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
  if (entry.kind === "broken") return entry;
  const { title, version, machineId, sortKey, architecture, deviceTree, image } = entry;
  const { cmdline, archives } = withoutArchives(entry.options && expand(entry.options));
  const initrds = [...entry.initrds.map(expand), ...archives].flatMap(wordsOf).map(fromRoot);
  const fault =
    deviceTree === undefined
      ? programFault(root, image, limited)
      : `it wants a device tree (${deviceTree}), and kexec passes on the running one`;
  const names = { title, version, machineId, sortKey, architecture };
  return { ...names, kernel: fromRoot(expand(image.path)), initrds, cmdline, fault };
}

/** As menus have paths; entries are written with and without the slash. */
function fromRoot(path: string): string {
  return `/${path.replace(/^\/+/, "")}`;
}

/** A shell, a memory test: `efi` names any program. What cannot be read, the load says. */
function programFault(
  root: FileTree,
  image: EntryFile["image"],
  limited: Limited,
): string | undefined {
  if (image.key !== "efi") return undefined;
  try {
    using program = openNamed(root, image.path, "kernel").file;
    return recogniseImage(limited(program)).kind === "pe"
      ? `it starts an EFI program without a kernel in it (${image.path})`
      : undefined;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return undefined;
  }
}

const machineNames: Partial<Record<PeMachine, string>> = {
  x86_64: "x64",
  aarch64: "aa64",
  i386: "ia32",
};

/** As bootctl has them: bootspec_pick_name_version_sort_key of systemd. */
function ukiFacts(file: ByteSource, path: string): Facts | { readonly why: string } {
  const pe = readPe(file);
  if (pe === undefined) return { why: "it is not a UKI" };
  if (pe.kind === "broken") return pe;
  const uki = readUki(file, pe);
  if (uki === undefined) return { why: "it is not a UKI: it has no .linux section" };
  if (uki.kind === "broken") return uki;
  const section = ukiSection(uki, ".osrel");
  const text = section === undefined ? "" : readUkiText(file, section, longestOsRelease);
  if (typeof text !== "string") return text;
  const first = (...names: readonly string[]) =>
    names.map((name) => assigned(text, name)).find((value) => value !== undefined && value !== "");
  return {
    title: first("PRETTY_NAME", "IMAGE_ID", "NAME", "ID"),
    version: first("IMAGE_VERSION", "VERSION", "VERSION_ID", "BUILD_ID"),
    sortKey: first("IMAGE_ID", "ID"),
    machineId: undefined,
    architecture: pe.machine === undefined ? "unknown" : (machineNames[pe.machine] ?? pe.machine),
    kernel: fromRoot(path),
    initrds: [],
    cmdline: undefined,
    fault: undefined,
  };
}
