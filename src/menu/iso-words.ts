/** The command line by which a live system finds the ISO image that it was started from. Pure. */
import { withoutWords } from "../kernel-words.ts";
import { trimmed, trimmedEnd } from "./blanks.ts";
import { type LiveSystem, liveSystems } from "./live-systems.ts";

/** Where the image lies, as the next system sees it. */
export interface IsoPlace {
  /** From the root of the file system that holds the image. */
  readonly path: string;
  /** Of that file system; undefined where it is not known. */
  readonly uuid: string | undefined;
}

/** An entry of an image's menu, and what is beside it. */
export interface IsoLook {
  readonly cmdline: string;
  /** Path of the kernel on the image. */
  readonly kernel: string;
  /** Whether something is at a path on the image. */
  has(path: string): boolean;
}

export type IsoWay =
  | {
      readonly kind: "known";
      readonly system: LiveSystem;
      /** By what it was told, in words. */
      readonly why: string;
      readonly cmdline: string;
      /** The words that the menu did not bring. */
      readonly added: readonly string[];
      /** Words of the menu that lead to another image. */
      readonly foreign: readonly string[];
    }
  /** No way is known, or this one cannot be gone; `give` are words to give by hand. */
  | { readonly kind: "unknown"; readonly why: string; readonly give: string };

/** Told by command line, kernel or image; undefined: only the archive may tell it. */
export function tellSystem(look: IsoLook): readonly [LiveSystem, string] | undefined {
  const words = wordsOf(look.cmdline);
  for (const system of liveSystems) {
    const word = words.find((one) => system.cmdline?.test(one));
    if (word !== undefined) return [system, `its command line has ${word}`];
  }
  const byKernel = liveSystems.find(({ kernel }) => kernel?.test(look.kernel));
  if (byKernel !== undefined) return [byKernel, `its kernel is ${look.kernel}`];
  for (const system of liveSystems) {
    const file = system.files.find((path) => look.has(path));
    if (file !== undefined) return [system, `the image has ${file}`];
  }
  return undefined;
}

/** Told by the names in an archive, which `names` gives one by one. */
export function tellByArchive(name: string): LiveSystem | undefined {
  return liveSystems.find(({ archive }) => archive?.test(name));
}

/** Words that some live system finds its image by. */
const findingWord =
  /^(?:iso-scan\/filename|findiso|fromiso|img_loop|isofrom_system|isofrom|isoboot|isoloop|from)=\S/;

/** The command line by which the system finds the image, with the words that it lacks. */
export function findingCmdline(
  cmdline: string,
  told: readonly [LiveSystem, string] | undefined,
  place: IsoPlace,
): IsoWay {
  const problem = /[\s"'\\$`*?[\]]/.exec(place.path)?.[0];
  if (problem !== undefined) {
    return {
      kind: "unknown",
      why: `its path ${place.path} has the character ${JSON.stringify(problem)}, which no initramfs reads right`,
      give: "rename the image, or move it",
    };
  }
  if (told === undefined) {
    // A system that is not in the table, whose menu knows what to do.
    const own = wordsOf(cmdline).find((word) => findingWord.test(word));
    if (own?.includes(place.path) === true) {
      const name = own.slice(0, own.lastIndexOf("="));
      const system = unlisted(name);
      return {
        kind: "known",
        system,
        why: `its menu gives ${name}=`,
        cmdline,
        added: [],
        foreign: [],
      };
    }
    return {
      kind: "unknown",
      why: "nothing tells which live system it is, and how that finds its image",
      give: `give its words by --append, such as findiso=${place.path} or iso-scan/filename=${place.path}`,
    };
  }
  const [system, why] = told;
  if (system.unable !== undefined) {
    return {
      kind: "unknown",
      why: `it is ${system.name} (${why}): ${system.unable}`,
      give: "write the image to a disk of its own, or give words by --append that make it find its files",
    };
  }
  if (place.uuid === undefined && system.words.some((word) => word.includes("{uuid}"))) {
    const words = system.words.map((word) => valued(word, { ...place, uuid: "UUID" })).join(" ");
    return {
      kind: "unknown",
      why: `${system.name} takes the UUID of the file system that holds the image, and that is not known here`,
      give: `run as root, or give the words by --append: ${words}`,
    };
  }
  return withWords(cmdline, system, why, place);
}

function withWords(cmdline: string, system: LiveSystem, why: string, place: IsoPlace): IsoWay {
  const words = wordsOf(cmdline);
  const added: string[] = [];
  const foreign: string[] = [];
  let line = cmdline;
  for (const template of system.words) {
    const name = template.slice(0, template.indexOf("=") + 1);
    const given = words.filter((word) => word.startsWith(name) && word !== name);
    if (given.length > 0) {
      if (template === `${name}{path}` && !given.some((word) => samePath(word, name, place.path))) {
        foreign.push(...given);
      }
      continue;
    }
    const word = valued(template, place);
    added.push(word);
    // One without a value has a variable that nobody set.
    if (words.includes(name)) line = withoutWords(line, (one) => one === name);
    line = insert(line, word);
  }
  return { kind: "known", system, why, cmdline: line, added, foreign };
}

function valued(template: string, { path, uuid }: IsoPlace): string {
  return template.replace("{uuid}", () => uuid ?? "").replace("{path}", () => path);
}

function samePath(word: string, name: string, path: string): boolean {
  const value = word.slice(name.length).replace(/^"(.*)"$/, "$1");
  return value.replace(/\/+/g, "/") === path;
}

/** In front of what belongs to the installed system or to init: `---` of casper and the installer, `--`. */
function insert(line: string, word: string): string {
  const at = /(?:^|[ \t\n])---?(?=[ \t\n]|$)/.exec(line)?.index;
  if (at === undefined) return line === "" ? word : `${trimmedEnd(line)} ${word}`;
  const before = trimmedEnd(line.slice(0, at));
  return `${before === "" ? "" : `${before} `}${word} ${trimmed(line.slice(at))}`;
}

/** As the scripts of live systems take /proc/cmdline apart, which know no quotes. */
function wordsOf(cmdline: string): string[] {
  return cmdline.split(/[ \t\n]+/).filter((word) => word !== "");
}

function unlisted(word: string): LiveSystem {
  return {
    name: "a live system that is not known here",
    cmdline: undefined,
    kernel: undefined,
    files: [],
    archive: undefined,
    words: [`${word}={path}`],
    source: "its own menu",
  };
}

/**
 * Variables that menus for images in files use, set before the menu runs.
 * @see https://www.supergrubdisk.org/wiki/Loopback.cfg for `iso_path`; the others are those of
 *   entries that distributions give for it.
 */
export function isoVariables({ path, uuid }: IsoPlace): Readonly<Record<string, string>> {
  const named = { iso_path: path, isofile: path, iso_file: path, isopath: path };
  if (uuid === undefined) return named;
  const device = `/dev/disk/by-uuid/${uuid}`;
  return {
    ...named,
    rootuuid: uuid,
    dev_uuid: uuid,
    img_dev: device,
    imgdevpath: device,
    iso_uuid: uuid,
  };
}
