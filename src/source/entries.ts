/** The boot entries of a partition: which there are, in what order, and which one is meant. */

import type { Architecture } from "../architecture.ts";
import { KexecError } from "../errors.ts";
import type { ByteSource } from "../image/bytes.ts";
import { type PeMachine, readPe } from "../image/pe.ts";
import { recogniseImage } from "../image/recognise.ts";
import { assigned, readUki, readUkiText, ukiSection } from "../image/uki.ts";
import { namesIn } from "../linux/directory.ts";
import { Folder, InputFile } from "../linux/file.ts";
import { type EntryFile, largestEntry, parseEntry } from "./entry-file.ts";
import {
  compareEntries,
  type EntryName,
  isNamed,
  readEntryName,
  type Sortable,
} from "./entry-order.ts";
import { openNamed } from "./entry-path.ts";

/** A boot entry of a directory. */
export interface ListedEntry extends Sortable {
  /** `entry`: a file in loader/entries; `uki`: an image in EFI/Linux. */
  readonly kind: "entry" | "uki";
  /** Relative to the directory. */
  readonly path: string;
  readonly title: string | undefined;
  /** Why it cannot be booted here: malformed, or for another architecture. */
  readonly problem: string | undefined;
}

/** The names that are looked at; the files of so many are opened when the default is wanted. */
const mostNames = 65_536;
const mostEntries = 4096;
const longestOsRelease = 64 << 10;

const places = [
  { kind: "entry", folder: "loader/entries", suffix: ".conf" },
  { kind: "uki", folder: "EFI/Linux", suffix: ".efi" },
] as const;

/** The names of the EFI specification: section 2.1, "architecture" of UAPI.1. */
const architectureNames: Readonly<Record<Architecture, string>> = {
  x86_64: "x64",
  aarch64: "aa64",
};

/** Whether an entry's `architecture` is this machine's; an entry without one is for every machine. */
export function isForMachine(named: string | undefined, architecture: Architecture): boolean {
  return named === undefined || named.toLowerCase() === architectureNames[architecture];
}

/**
 * Opens the root of a partition: `/boot`, an ESP; also by its `loader/entries`, from which paths in
 * entries do not count.
 * @throws KexecError of Folder.open
 */
export function openRoot(directory: string): Folder {
  const folder = Folder.open(directory);
  const root = /^(.*)\/loader\/entries$/.exec(folder.canonicalPath)?.[1];
  if (root === undefined) return folder;
  folder[Symbol.dispose]();
  return Folder.open(root === "" ? "/" : root);
}

/**
 * Every boot entry of a directory, in the order of the specification: the default is the first one
 * without a `problem`. Reads each entry, and of each UKI its headers.
 * @param directory See `openRoot`.
 * @throws KexecError `file-not-found` where there is none, `file-too-large` above 4096 entries,
 *   `io-error`
 */
export function listEntries(directory: string, architecture: Architecture): readonly ListedEntry[] {
  using root = openRoot(directory);
  return readEntries(root, architecture);
}

function readEntries(root: Folder, architecture: Architecture): readonly ListedEntry[] {
  const found = findNames(root);
  if (found.length > mostEntries) {
    throw new KexecError("file-too-large", {
      message: `cannot choose a boot entry in ${root.path}: it has more than ${mostEntries}`,
      hint: "name one with --entry, or give its file",
    });
  }
  return found.map((file) => readListed(root, file, architecture)).sort(compareEntries);
}

/** An entry's file, by its name alone. */
export interface FoundEntry extends EntryName {
  readonly kind: "entry" | "uki";
  readonly path: string;
}

/**
 * The entry that is booted: the one that `id` names, of which no file is read here, or the default.
 * @throws KexecError `file-not-found` and those of `listEntries`
 */
export function chooseEntry(
  root: Folder,
  id: string | undefined,
  architecture: Architecture,
  warn: (line: string) => void,
): FoundEntry {
  if (id !== undefined) return findNamed(root, id);
  const entries = readEntries(root, architecture);
  for (const { path, problem } of entries) {
    if (problem !== undefined) warn(`the boot entry ${path} is passed over: ${problem}`);
  }
  const chosen = entries.find(({ problem }) => problem === undefined);
  if (chosen !== undefined) return chosen;
  throw new KexecError("file-not-found", {
    message: `cannot choose a boot entry in ${root.path}: none of its ${entries.length} can be booted here`,
    hint: `the first of them, ${entries[0]?.path}: ${entries[0]?.problem}`,
  });
}

/** The entry that `id` names, by the names of files alone. */
export function pickNamed(found: readonly FoundEntry[], id: string): FoundEntry | undefined {
  const isExact = ({ path }: FoundEntry) => path.slice(path.lastIndexOf("/") + 1) === id;
  const named = found.filter((entry) => isNamed(entry.id, id));
  // Of two that differ in their boot counters the better one; nothing else is known of them here.
  const [best] = named
    .map((entry) => ({ ...entry, sortKey: undefined, machineId: undefined, version: undefined }))
    .sort(compareEntries);
  return found.find(isExact) ?? best;
}

function findNamed(root: Folder, id: string): FoundEntry {
  const found = findNames(root);
  const entry = pickNamed(found, id);
  if (entry !== undefined) return entry;
  const some = found.slice(0, 8).map((other) => other.id);
  throw new KexecError("file-not-found", {
    message: `cannot find the boot entry ${id} in ${root.path}`,
    hint: `it has ${some.join(", ")}${found.length > some.length ? " and others" : ""}`,
  });
}

function findNames(root: Folder): readonly FoundEntry[] {
  const found = places.flatMap(({ kind, folder, suffix }) => {
    const names = namesIn(root, folder, mostNames) ?? [];
    if (names.length > mostNames) {
      throw new KexecError("file-too-large", {
        message: `cannot read ${root.path}/${folder}: it has more than ${mostNames} files`,
      });
    }
    return names.flatMap((name): FoundEntry[] => {
      if (!name.toLowerCase().endsWith(suffix)) return [];
      const entry = readEntryName(name);
      return entry === undefined ? [] : [{ kind, path: `${folder}/${name}`, ...entry }];
    });
  });
  if (found.length > 0) return found;
  throw new KexecError("file-not-found", {
    message: `cannot load ${root.path}: it is a directory without boot entries`,
    hint: "give a kernel, or a directory that has loader/entries/*.conf or EFI/Linux/*.efi",
  });
}

function readListed(root: Folder, found: FoundEntry, architecture: Architecture): ListedEntry {
  const nothing = {
    title: undefined,
    version: undefined,
    machineId: undefined,
    sortKey: undefined,
  } as const;
  try {
    using file = InputFile.openBelow(root, found.path, "boot entry");
    const facts = found.kind === "entry" ? entryFacts(root, file) : ukiFacts(file);
    if ("why" in facts) return { ...found, ...nothing, problem: facts.why };
    const problem = isForMachine(facts.architecture, architecture)
      ? facts.fault
      : `it is for ${facts.architecture}`;
    return { ...found, ...facts, problem };
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return { ...found, ...nothing, problem: error.message };
  }
}

interface Facts extends Omit<Sortable, keyof EntryName> {
  readonly title: string | undefined;
  readonly architecture: string | undefined;
  readonly fault: string | undefined;
}

function entryFacts(root: Folder, file: InputFile): Facts | { readonly why: string } {
  const entry = parseEntry(file.read(0, Math.min(file.size, largestEntry + 1)));
  if (entry.kind === "broken") return entry;
  const { title, version, machineId, sortKey, architecture, deviceTree, image } = entry;
  const fault =
    deviceTree === undefined
      ? programFault(root, image)
      : `it wants a device tree (${deviceTree}), and kexec passes on the running one`;
  return { title, version, machineId, sortKey, architecture, fault };
}

/** A shell, a memory test: `efi` names any program. What cannot be read, the load says. */
function programFault(root: Folder, image: EntryFile["image"]): string | undefined {
  if (image.key !== "efi") return undefined;
  try {
    using program = openNamed(root, image.path, "kernel");
    return recogniseImage(program).kind === "pe"
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
function ukiFacts(file: ByteSource): Facts | { readonly why: string } {
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
    fault: undefined,
  };
}
