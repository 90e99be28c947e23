/**
 * A boot entry of type 1: UAPI.1, the Boot Loader Specification, with the keys that systemd-boot
 * added since (`uki`, `uki-url`, `profile`). Pure: bytes in, facts out.
 */
import type { Architecture } from "../../architecture.ts";
import { broken, type ImageProblem } from "../../image/bytes.ts";
import { textKind } from "../../menu/text-kind.ts";
import { keyResembling } from "./key.ts";
import { type EntryLine, entryLines } from "./lines.ts";

export interface EntryFile {
  readonly kind: "entry";
  readonly title: string | undefined;
  readonly version: string | undefined;
  readonly machineId: string | undefined;
  readonly sortKey: string | undefined;
  /** As the entry spells it: `x64`, `AA64`. */
  readonly architecture: string | undefined;
  /** The one file that boots, by the key that names it. */
  readonly image: { readonly key: ImageKey; readonly path: string };
  /** The values of the `initrd` lines as they stand there: one path each, or several, as GRUB has them. */
  readonly initrds: readonly string[];
  /** All `options` lines, joined by one space; undefined where there is none. */
  readonly options: string | undefined;
  /** Of a UKI. */
  readonly profile: number | undefined;
  /** Whether it wants a device tree, and by which key. */
  readonly deviceTree: "devicetree" | "devicetree-overlay" | undefined;
  /** Keys that mean nothing here, each once. */
  readonly ignored: readonly string[];
  /** What is left out of it, and where: `line 3: initrds is no key …`. */
  readonly warnings: readonly string[];
}

export type ImageKey = "linux" | "efi" | "uki";

/** The names of the EFI specification: section 2.1, "architecture" of UAPI.1. */
const architectureNames: Readonly<Record<Architecture, string>> = {
  x86_64: "x64",
  aarch64: "aa64",
};

/** Whether an entry's `architecture` is this machine's; an entry without one is for every machine. */
export function isForMachine(named: string | undefined, architecture: Architecture): boolean {
  return named === undefined || named.toLowerCase() === architectureNames[architecture];
}

/** Bytes that an entry may have. */
export const largestEntry = 64 << 10;

const format = "boot entry";
const mostInitrds = 64;
const longestText = 1024;
const mostWarnings = 64;
// PATH_MAX, include/uapi/linux/limits.h
const longestPath = 4096;
const imageKeys: readonly ImageKey[] = ["linux", "efi", "uki"];
/** Of several lines with such a key only one can be meant. */
const texts = ["title", "version", "machine-id", "sort-key", "architecture"];
const single = [...texts, "profile", ...imageKeys];
const keys = [...single, ...["initrd", "options", "uki-url", "devicetree", "devicetree-overlay"]];
/** What boot loaders of the field write into entries besides; nothing of it boots anything. */
const others = ["extra", "id", "grub_users", "grub_arg", "grub_class", "grub_hotkey"];

/** Whether a file that begins so is meant as a boot entry: text, with a line of a known key. */
export function resemblesEntry(head: Uint8Array): boolean {
  if (otherText(head) !== undefined) return false;
  const { lines, fault } = entryLines(head);
  return fault?.kind !== "control" && lines.some(({ key }) => keys.includes(key));
}

/** What a text is called that is no boot entry although it may have lines of one. */
export function otherText(head: Uint8Array): string | undefined {
  return textKind(new TextDecoder("latin1").decode(head).replaceAll("\r\n", "\n"));
}

/** Reads an entry, or names the first rule that it breaks. */
export function parseEntry(bytes: Uint8Array): EntryFile | ImageProblem {
  if (bytes.length > largestEntry) return malformed(`it is larger than ${largestEntry} bytes`);
  const other = otherText(bytes);
  if (other !== undefined) return malformed(`it is ${other}`);
  const { lines, fault, padding } = entryLines(bytes);
  if (fault !== undefined) return malformed(fault.why);
  const known = lines.filter(({ key, value }) => keys.includes(key) && value !== "");
  const of = (key: string) => known.filter((line) => line.key === key);
  // As in systemd-boot, the last of several lines counts where one is wanted.
  const lastOf = (key: string) => {
    const value = of(key).at(-1)?.value;
    return value === undefined ? undefined : shown(value);
  };

  // The last of several of one key counts; of two keys, neither: boot_entry_add_type1 of systemd
  // (src/boot/boot.c), which leaves such an entry out (LOADER_BAD).
  const [image, second] = imageKeys.flatMap((key) => of(key).slice(-1));
  if (lastOf("uki-url") !== undefined) {
    return malformed("it names its kernel by uki-url, which is not followed here");
  }
  if (image === undefined) {
    const meant = lines.find(({ key }) =>
      imageKeys.some((one) => one === keyResembling(key, keys)),
    );
    const why = "it names no kernel: it has no linux, efi or uki line";
    return malformed(meant === undefined ? why : `${why}; line ${meant.number} has ${meant.key}`);
  }
  if (second !== undefined) {
    return malformed(
      `it names more than one kernel, by ${image.key} in line ${image.number} and ${second.key} in line ${second.number}`,
    );
  }
  const initrds = of("initrd");
  if (initrds.length > mostInitrds)
    return malformed(`it has more than ${mostInitrds} initrd lines`);
  for (const line of [image, ...initrds]) {
    const why = pathFault(line);
    if (why !== undefined) return why;
  }
  const long = known.find(({ key, value }) => texts.includes(key) && value.length > longestText);
  if (long !== undefined) {
    return malformed(
      `line ${long.number}: its ${long.key} is longer than ${longestText} characters`,
    );
  }
  const options = of("options");
  const undecoded = options.find(({ notUtf8 }) => notUtf8 !== undefined);
  if (undecoded?.notUtf8 !== undefined) {
    return malformed(`line ${undecoded.number}, byte ${undecoded.notUtf8}: it is not UTF-8`);
  }
  const profile = of("profile").at(-1);
  if (profile !== undefined && !/^\d{1,9}$/.test(profile.value)) {
    return malformed(`line ${profile.number}: its profile is not a number`);
  }
  return {
    kind: "entry",
    title: lastOf("title"),
    version: lastOf("version"),
    machineId: lastOf("machine-id"),
    sortKey: lastOf("sort-key"),
    architecture: lastOf("architecture"),
    image: { key: keyOf(image), path: relative(image.value) },
    initrds: initrds.map(({ value }) => relative(value)),
    options: options.length === 0 ? undefined : options.map(({ value }) => value).join(" "),
    profile: profile === undefined ? undefined : Number(profile.value),
    deviceTree: (["devicetree", "devicetree-overlay"] as const).find(
      (name) => lastOf(name) !== undefined,
    ),
    ignored: [...new Set(lines.map((line) => line.key).filter((name) => !keys.includes(name)))],
    warnings: [...warningsOf(lines), ...(padding === undefined ? [] : [padding])],
  };
}

/** Bytes that are no UTF-8 as text that can be seen: `\xe4`. */
function shown(text: string): string {
  return text.replace(
    /[\udc80-\udcff]/g,
    (byte) => `\\x${(byte.charCodeAt(0) & 0xff).toString(16)}`,
  );
}

/** What is passed over, each with its line. */
function warningsOf(lines: readonly EntryLine[]): string[] {
  const last = new Map<string, EntryLine>();
  for (const line of lines) if (line.value !== "") last.set(line.key, line);
  const warned: string[] = [];
  for (const [index, line] of lines.entries()) {
    if (warned.length === mostWarnings) {
      const { number } = line;
      warned.push(
        `line ${number}: it and the ${lines.length - index - 1} lines behind it are not looked at for mistakes`,
      );
      break;
    }
    const warning = warningOf(line, last.get(line.key));
    if (warning !== undefined) warned.push(warning);
  }
  return warned;
}

function warningOf({ number, key, value }: EntryLine, last: EntryLine | undefined) {
  const place = `line ${number}`;
  if (!keys.includes(key)) {
    if (others.includes(key) || /^(?:grub|systemd|x)[_-]/i.test(key)) return undefined;
    const meant = keyResembling(key, keys);
    return meant === undefined
      ? `${place}: ${key} is no key of a boot entry, and is ignored`
      : `${place}: ${key} is ignored; the key is ${meant}`;
  }
  if (value === "") return `${place}: ${key} has no value`;
  const isIgnored = single.includes(key) && last !== undefined && last.number !== number;
  return isIgnored
    ? `${place}: its ${key} is ignored: that of line ${last.number} counts`
    : undefined;
}

/** Paths count from the root of the file system, with and without a slash in front. */
function relative(path: string): string {
  return path.replace(/^\/+/, "");
}

function keyOf({ key }: EntryLine): ImageKey {
  return imageKeys.find((one) => one === key) ?? "linux";
}

function pathFault({ number, key, value }: EntryLine): ImageProblem | undefined {
  if (value.length > longestPath) {
    return malformed(`line ${number}: a path is longer than ${longestPath} characters`);
  }
  const names = value.split(/[\\/]+/);
  if (names.every((name) => name === "")) {
    return malformed(`line ${number}: the path of its ${key} is empty`);
  }
  if (value.split(/[\\/\s]+/).includes("..")) {
    return broken(format, "outside-folder", `line ${number}: a path has ".." in it`);
  }
  return undefined;
}

function malformed(problem: string): ImageProblem {
  return broken(format, "malformed-input", problem);
}
