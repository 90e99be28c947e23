/** What depmod(8) writes beside the modules: modules.alias, modules.dep, modules.softdep. Pure. */

/** A module's file, relative to the folder of that release, and what it needs. */
export interface ModuleFile {
  readonly path: string;
  /** Paths, too. */
  readonly needs: readonly string[];
}

interface Pattern {
  /** What stands in front of the first sign that means more than itself. */
  readonly prefix: string;
  readonly pattern: string;
  readonly module: string;
}

/** Lines of a file that are read: Debian's modules.alias has 30,000. */
const mostLines = 1 << 18;

export class ModuleTable {
  private readonly files = new Map<string, ModuleFile>();
  private readonly byBus = new Map<string, Pattern[]>();
  private readonly softly = new Map<string, readonly string[]>();

  constructor({ dep, alias, softdep }: { dep: string; alias: string; softdep: string }) {
    for (const line of linesOf(dep)) {
      const colon = line.indexOf(":");
      const path = line.slice(0, Math.max(0, colon));
      if (!isInside(path)) continue;
      const needs = line
        .slice(colon + 1)
        .split(" ")
        .filter(isInside);
      this.files.set(moduleName(path), { path, needs });
    }
    for (const line of linesOf(alias)) {
      const [word, written, name] = line.split(" ");
      if (word !== "alias" || written === undefined || name === undefined) continue;
      const pattern = normal(written);
      const prefix = pattern.slice(0, pattern.search(/[*?[\\]|$/));
      const bus = busOf(prefix);
      const known = this.byBus.get(bus) ?? [];
      known.push({ prefix, pattern, module: moduleName(name) });
      this.byBus.set(bus, known);
    }
    for (const line of linesOf(softdep)) {
      const [, name, names = ""] = /^softdep (\S+) pre: ([^:]*?)(?: post:.*)?$/.exec(line) ?? [];
      if (name !== undefined) this.softly.set(moduleName(name), names.split(" ").filter(Boolean));
    }
  }

  /** Undefined where it is no module, but built in, or not there. */
  file(name: string): ModuleFile | undefined {
    return this.files.get(moduleName(name));
  }

  /** Names of the modules that say they serve this. */
  serving(alias: string): readonly string[] {
    const wanted = normal(alias);
    const found = new Set<string>();
    for (const bus of new Set([busOf(wanted), ""])) {
      for (const { prefix, pattern, module } of this.byBus.get(bus) ?? []) {
        if (wanted.startsWith(prefix) && matches(pattern, wanted)) found.add(module);
      }
    }
    return [...found];
  }

  /** What is to be loaded before it where that is there: modules, or what they serve. */
  wishes(name: string): readonly string[] {
    return this.softly.get(moduleName(name)) ?? [];
  }
}

function linesOf(text: string): readonly string[] {
  return text.split("\n", mostLines);
}

/** A path that stays in the folder. */
function isInside(path: string): boolean {
  return path !== "" && !path.startsWith("/") && !path.split("/").includes("..");
}

/** `kernel/fs/ext4/ext4.ko.xz` is ext4; "-" and "_" are the same. */
export function moduleName(path: string): string {
  return path
    .slice(path.lastIndexOf("/") + 1)
    .replace(/\.ko(?:\.(?:gz|xz|zst))?$/, "")
    .replaceAll("-", "_");
}

export function isCompressed(path: string): boolean {
  return /\.(?:gz|xz|zst)$/.test(path);
}

/** Outside of brackets "-" is "_": libkmod-util.c, alias_normalize. */
function normal(alias: string): string {
  return alias.replace(/\[[^\]]*\]|-/g, (part) => (part === "-" ? "_" : part));
}

function busOf(alias: string): string {
  const colon = alias.indexOf(":");
  return colon < 0 ? "" : alias.slice(0, colon);
}

/** fnmatch(3) without flags, as kmod takes patterns; in time that grows with the product of both lengths at most. */
export function matches(pattern: string, text: string): boolean {
  let [at, from] = [0, 0];
  // Where the last star stands, and what it has taken so far.
  let [star, taken] = [-1, 0];
  for (;;) {
    const step = at < pattern.length && pattern[at] !== "*" ? oneOf(pattern, at, text[from]) : 0;
    if (pattern[at] === "*") {
      star = at++;
      taken = from;
    } else if (step > 0) {
      at += step;
      from++;
    } else if (at === pattern.length && from === text.length) {
      return true;
    } else if (star >= 0 && taken < text.length) {
      at = star + 1;
      from = ++taken;
    } else {
      return false;
    }
  }
}

/** @returns how much of the pattern stands for this character; 0 where it does not fit */
function oneOf(pattern: string, at: number, character: string | undefined): number {
  const sign = pattern[at];
  if (character === undefined) return 0;
  if (sign === "?") return 1;
  if (sign === "\\" && at + 1 < pattern.length) return pattern[at + 1] === character ? 2 : 0;
  const end = sign === "[" ? pattern.indexOf("]", at + 2) : -1;
  if (end < 0) return sign === character ? 1 : 0;
  const isNot = pattern[at + 1] === "!" || pattern[at + 1] === "^";
  let isIn = false;
  for (let one = at + (isNot ? 2 : 1); one < end; one++) {
    const first = pattern[one] ?? "";
    const isRange = pattern[one + 1] === "-" && one + 2 < end;
    const last = isRange ? (pattern[one + 2] ?? "") : first;
    isIn ||= first <= character && character <= last;
    if (isRange) one += 2;
  }
  return isIn === isNot ? 0 : end - at + 1;
}
