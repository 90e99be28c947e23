/**
 * A boot entry of type 1: UAPI.1, the Boot Loader Specification, with the keys that systemd-boot
 * added since (`uki`, `uki-url`, `profile`). Pure: bytes in, facts out.
 */
import type { Architecture } from "../architecture.ts";
import { broken, type ImageProblem } from "../image/bytes.ts";

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
  readonly initrds: readonly string[];
  /** All `options` lines, joined by one space; undefined where there is none. */
  readonly options: string | undefined;
  /** Of a UKI. */
  readonly profile: number | undefined;
  /** Whether it wants a device tree, and by which key. */
  readonly deviceTree: "devicetree" | "devicetree-overlay" | undefined;
  /** Keys that mean nothing here, each once. */
  readonly ignored: readonly string[];
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
// PATH_MAX, include/uapi/linux/limits.h
const longestPath = 4096;
const imageKeys: readonly ImageKey[] = ["linux", "efi", "uki"];
const keys = [
  ...["title", "version", "machine-id", "sort-key", "architecture", "initrd", "options", "profile"],
  ...["linux", "efi", "uki", "uki-url", "devicetree", "devicetree-overlay"],
];

/** All but tab and line feed. */
const control = /[\x00-\x08\x0b-\x1f\x7f]/;

/** Whether a file that begins so is meant as a boot entry: text, with a line of a known key. */
export function resemblesEntry(head: Uint8Array): boolean {
  const text = new TextDecoder().decode(head).replaceAll("\r\n", "\n");
  if (control.test(text)) return false;
  return linesOf(text).some(({ key }) => keys.includes(key));
}

/** Reads an entry, or names the first rule that it breaks. */
export function parseEntry(bytes: Uint8Array): EntryFile | ImageProblem {
  if (bytes.length > largestEntry) return malformed(`it is larger than ${largestEntry} bytes`);
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replaceAll("\r\n", "\n");
  } catch {
    return malformed("it is not UTF-8");
  }
  if (control.test(text)) return malformed("it has a control character");
  const lines = linesOf(text);
  const valuesOf = (key: string) =>
    lines.filter((line) => line.key === key && line.value !== "").map(({ value }) => value);
  // As in systemd-boot, the last of several lines counts where one is wanted.
  const lastOf = (key: string) => valuesOf(key).at(-1);

  const named = imageKeys.filter((key) => lastOf(key) !== undefined);
  const [key] = named;
  const path = key && lastOf(key);
  if (lastOf("uki-url") !== undefined) {
    return malformed("it names its kernel by uki-url, and nothing is fetched here");
  }
  if (key === undefined || path === undefined) {
    return malformed("it names no kernel: it has no linux, efi or uki line");
  }
  if (named.length > 1)
    return malformed(`it names more than one kernel, by ${named.join(" and ")}`);
  const initrds = valuesOf("initrd");
  if (initrds.length > mostInitrds)
    return malformed(`it has more than ${mostInitrds} initrd lines`);
  const fault = [path, ...initrds].map(pathFault).find((found) => found !== undefined);
  if (fault !== undefined) return fault;
  const single = ["title", "version", "machine-id", "sort-key", "architecture"];
  const long = single.find((name) => (lastOf(name) ?? "").length > longestText);
  if (long !== undefined) return malformed(`its ${long} is longer than ${longestText} characters`);
  const profile = lastOf("profile");
  if (profile !== undefined && !/^\d{1,9}$/.test(profile)) {
    return malformed("its profile is not a number");
  }
  const options = valuesOf("options");
  return {
    kind: "entry",
    title: lastOf("title"),
    version: lastOf("version"),
    machineId: lastOf("machine-id"),
    sortKey: lastOf("sort-key"),
    architecture: lastOf("architecture"),
    image: { key, path: relative(path) },
    initrds: initrds.map(relative),
    options: options.length === 0 ? undefined : options.join(" "),
    profile: profile === undefined ? undefined : Number(profile),
    deviceTree: (["devicetree", "devicetree-overlay"] as const).find(
      (name) => lastOf(name) !== undefined,
    ),
    ignored: [...new Set(lines.map((line) => line.key).filter((name) => !keys.includes(name)))],
  };
}

interface Line {
  readonly key: string;
  readonly value: string;
}

function linesOf(text: string): readonly Line[] {
  return text.split("\n").flatMap((raw) => {
    const line = raw.trim();
    if (line === "" || line.startsWith("#")) return [];
    const end = line.search(/[ \t]/);
    return [
      end < 0
        ? { key: line, value: "" }
        : { key: line.slice(0, end), value: line.slice(end + 1).trim() },
    ];
  });
}

/** Paths count from the root of the file system, with and without a slash in front. */
function relative(path: string): string {
  return path.replace(/^\/+/, "");
}

function pathFault(path: string): ImageProblem | undefined {
  if (path.length > longestPath)
    return malformed(`a path is longer than ${longestPath} characters`);
  if (relative(path) === "") return malformed("a path is empty");
  if (path.split("/").includes("..")) {
    return broken(format, "outside-folder", 'a path has ".." in it');
  }
  return undefined;
}

function malformed(problem: string): ImageProblem {
  return broken(format, "malformed-input", problem);
}
