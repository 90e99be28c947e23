/**
 * Variables of GRUB in a boot entry: Fedora's entries are read by GRUB's blscfg, which runs each line as a
 * script, so that `$tuned_params` is what `grubenv` says. Pure but for the tree that it is read from.
 */
import { cannot, KexecError } from "../../errors.ts";
import { trimmed } from "../../menu/blanks.ts";
import { largestGrubenv, readGrubenv } from "../../menu/grubenv.ts";
import type { FileTree } from "../kind.ts";
import { largestEntry } from "./file.ts";

const variable = /\$(?:(\w+)|\{(\w+)\})/g;
/** Where GRUB keeps its environment block, by distribution and firmware. */
const places = ["grub2/grubenv", "grub/grubenv", "boot/grub2/grubenv", "boot/grub/grubenv"];
const mostFolders = 64;
/** Unset on a machine that has none of it. */
const optional = ["tuned_params", "tuned_initrd", "grub_users"];

export function hasVariables(text: string): boolean {
  return text.includes("$") && text.search(variable) >= 0;
}

/** Characters that the values may bring to one entry, as many as an entry has. */
const mostValues = largestEntry;
/** And to all entries of a folder together. */
const mostOfFolder = 4 << 20;
const tooLong = `the values of its variables of GRUB have more than ${mostValues} characters`;
const tooLongTogether = `the values of the variables of GRUB in all entries have more than ${mostOfFolder} characters`;

/**
 * The text with the values in the place of its variables; what is unset is empty, as in GRUB.
 * @throws KexecError `malformed-input` where the values are too long
 */
export type Expand = (text: string) => string;

/** The variables that the entries of a folder have in common, which are read once, and what they bring. */
export class FolderVariables {
  private variables: ReadonlyMap<string, string> | undefined;
  private said: readonly string[] = [];
  private left = mostOfFolder;

  constructor(private readonly root: FileTree) {}

  /**
   * How the variables of an entry are replaced.
   * @param warn Hears of those that have no value, and why.
   */
  expansionOf(path: string, warn: (line: string) => void): Expand {
    const told = new Set<string>();
    const once = (line: string) => {
      if (!told.has(line)) warn(`${path}: ${line}`);
      told.add(line);
    };
    let left = mostValues;
    return (text) => {
      if (!hasVariables(text)) return text;
      const values = this.read(once);
      // Lengths first: a text of variables may be the size of the entry times that of grubenv.
      for (const [, plain, braced] of text.matchAll(variable)) {
        const { length } = values.get(plain ?? braced ?? "") ?? "";
        left -= length;
        this.left -= length;
        if (left < 0) throw excess(path, tooLong);
        if (this.left < 0) throw excess(path, tooLongTogether);
      }
      const expanded = text.replace(variable, (written, plain: string, braced: string) => {
        const name = plain ?? braced;
        const value = values.get(name);
        if (value === undefined && (values.size === 0 || !optional.includes(name))) {
          once(`${written} is a variable of GRUB that is not set: nothing stands in its place`);
        }
        return value ?? "";
      });
      return trimmed(expanded);
    };
  }

  private read(warn: (line: string) => void): ReadonlyMap<string, string> {
    if (this.variables === undefined) {
      const said: string[] = [];
      this.variables = readVariables(this.root, (line) => said.push(line));
      this.said = said;
    }
    for (const line of this.said) warn(line);
    return this.variables;
  }
}

function excess(path: string, why: string): KexecError {
  return cannot(`read the boot entry ${path}`, {
    code: "malformed-input",
    details: { path },
    why,
    hint: "shorten the values in grubenv",
  });
}

/** Where a GRUB environment block may be: on the partition, or on that of EFI beside or below it. */
export function environmentPaths(root: FileTree): readonly string[] {
  const vendors = ["EFI", "efi/EFI", "../EFI"].flatMap((folder) =>
    namesOf(root, folder).map((name) => `${folder}/${name}/grubenv`),
  );
  return [...places, ...vendors];
}

function namesOf(root: FileTree, folder: string): readonly string[] {
  try {
    return root.names(folder, mostFolders)?.slice(0, mostFolders) ?? [];
  } catch (error) {
    if (error instanceof KexecError) return [];
    throw error;
  }
}

function readVariables(root: FileTree, warn: (line: string) => void): ReadonlyMap<string, string> {
  for (const place of environmentPaths(root)) {
    try {
      using file = root.open(place, "GRUB environment block");
      const found = readGrubenv(file.read(0, Math.min(file.size, largestGrubenv + 1)));
      if (!("why" in found)) return found;
      warn(`${file.path} cannot be read: ${found.why}`);
      return new Map();
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      if (error.code === "file-not-found" || error.code === "outside-folder") continue;
      warn(error.message);
    }
  }
  warn("it has variables of GRUB, and there is no grubenv beside it");
  return new Map();
}
