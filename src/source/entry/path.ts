/** The files that a boot entry names. */
import { cannot, KexecError } from "../../errors.ts";
import type { FileTree } from "../kind.ts";
import type { HeldFile } from "../open-file.ts";
import { readingsOf, withoutFolder } from "./path-readings.ts";

/** A file that was found, and by which path from the root of its tree. */
export interface Named {
  readonly file: HeldFile;
  readonly path: string;
}

/** Hears by which path a file was found, where that is not the one in the entry. */
export type Note = (line: string) => void;

/** On one line. Each is looked for at several places. */
const mostArchives = 64;

const absent: readonly string[] = ["file-not-found", "outside-folder"];

/**
 * Opens a file that an entry names. Where the path as it stands leads to none, other meanings of it are
 * tried, and the one file that they find is taken.
 * @param root The folder that has `loader/entries`; nothing outside of it is opened.
 * @throws KexecError of FileTree.open; `file-not-found` where several files are found
 */
export function openNamed(root: FileTree, path: string, what: string, note?: Note): Named {
  const [plain = path, ...others] = readingsOf(path, root.canonicalPath);
  let missing: KexecError;
  try {
    return { file: root.open(plain, what), path: plain };
  } catch (error) {
    if (!(error instanceof KexecError && absent.includes(error.code))) throw error;
    missing = error;
  }
  using opened = new DisposableStack();
  const found = new Map<string, Named>();
  for (const other of others) {
    const file = openOther(root, other, what);
    if (file === undefined) continue;
    if (!found.has(file.canonicalPath)) found.set(file.canonicalPath, { file, path: other });
    else file[Symbol.dispose]();
  }
  const [named] = found.values();
  if (named === undefined) throw notFound(root, path, what, missing, others);
  if (found.size > 1) {
    for (const { file } of found.values()) opened.use(file);
    throw new KexecError("file-not-found", {
      message: `${missing.message}, and several files may be meant`,
      details: { path, found: [...found.values()].map(({ file }) => file.path) },
      hint: `found: ${[...found.values()].map(({ file }) => file.path).join(", ")}`,
    });
  }
  note?.(`${path} is found as ${named.path}`);
  return named;
}

function openOther(root: FileTree, path: string, what: string): HeldFile | undefined {
  try {
    return root.open(path, what);
  } catch (error) {
    if (error instanceof KexecError && absent.includes(error.code)) return undefined;
    throw error;
  }
}

/** Why the likeliest of the places has no such file, and every other that was looked at. */
function notFound(
  root: FileTree,
  path: string,
  what: string,
  missing: KexecError,
  others: readonly string[],
): KexecError {
  if (others.length === 0) return missing;
  const own = withoutFolder(root.canonicalPath, path);
  const first = (own === undefined ? undefined : failureOf(root, own, what)) ?? missing;
  const under = root.path.replace(/\/$/, "");
  const places = others.filter((other) => other !== own).map((other) => `${under}/${other}`);
  return first.with({
    hint:
      places.length === 0
        ? (first.hint ?? `${under} has no such file`)
        : `it was looked for as ${places.join(", ")}, too`,
  });
}

function failureOf(root: FileTree, path: string, what: string): KexecError | undefined {
  try {
    root.open(path, what)[Symbol.dispose]();
  } catch (error) {
    if (error instanceof KexecError) return error;
    throw error;
  }
  return undefined;
}

/**
 * Opens what an `initrd` line names: one file, or as GRUB has it several, with blanks between them.
 * @throws KexecError of `openNamed`
 */
export function openArchives(root: FileTree, value: string, note?: Note): readonly Named[] {
  const words = value.split(/[ \t]+/).filter((word) => word !== "");
  const [only] = words;
  if (words.length > mostArchives) {
    throw cannot(`open the initramfs "${value.slice(0, 64)}…"`, {
      code: "malformed-input",
      details: {},
      why: `its line names more than ${mostArchives} files`,
      hint: "give each archive a line of its own",
    });
  }
  if (words.length <= 1)
    return only === undefined ? [] : [openNamed(root, only, "initramfs", note)];
  let whole: Named | undefined;
  let missing: unknown;
  try {
    whole = openNamed(root, value, "initramfs", note);
  } catch (error) {
    if (!(error instanceof KexecError && absent.includes(error.code))) throw error;
    missing = error;
  }
  using opened = new DisposableStack();
  const each: Named[] = [];
  try {
    for (const word of words) {
      const named = openNamed(root, word, "initramfs", note);
      opened.use(named.file);
      each.push(named);
    }
  } catch (error) {
    if (whole !== undefined) return [whole];
    // Where one of the words is there, several files are meant: the other one is missing.
    throw each.length > 0 || !(missing instanceof KexecError) ? error : missing;
  }
  if (whole !== undefined) {
    opened.use(whole.file);
    throw cannot(`open the initramfs "${value}"`, {
      code: "file-not-found",
      details: { path: value },
      why: `it may be the name of one file, or the names of ${words.length}`,
      hint: "give each archive a line of its own, or another name",
    });
  }
  opened.move();
  return each;
}
