/**
 * `loader/loader.conf` of systemd-boot, and the EFI variables that go with it: loader.conf(5) and
 * the Boot Loader Interface. Pure: text in, a choice out.
 */
import { parted, unquoted } from "./blanks.ts";
import { globOf } from "./glob.ts";

export interface LoaderConf {
  /** Patterns of ids, lower case; `@saved` is the entry that was booted last. */
  readonly default: string | undefined;
  /** Since systemd 259: as `default`, but never an entry without tries left. */
  readonly preferred: string | undefined;
  /** Seconds that a menu is shown; undefined where nothing or no number is said. */
  readonly timeout: number | undefined;
}

/** EFI variables of vendor 4a67b082-0a4c-41cf-b6c7-440b29bb8c4f, undefined where they are not set. */
export interface LoaderVariables {
  readonly oneShot?: string | undefined;
  readonly preferred?: string | undefined;
  readonly default?: string | undefined;
  /** LoaderEntryLastBooted: what `@saved` stands for. */
  readonly lastBooted?: string | undefined;
}

export const largestLoaderConf = 64 << 10;
/** Four times what the longest name of a file takes (NAME_MAX, include/uapi/linux/limits.h). */
const longestPattern = 1024;

/** Reads `loader.conf`; of several lines of one key the last counts, and unknown keys do not. */
export function readLoaderConf(text: string): LoaderConf {
  const values = new Map<string, string>();
  for (const line of text.replace(/^\ufeff/, "").split(/[\n\r]/)) {
    const [key, value] = parted(line);
    if (!key.startsWith("#") && value !== "") values.set(key, unquoted(value));
  }
  const pattern = (key: string) => values.get(key)?.toLowerCase() || undefined;
  const timeout = values.get("timeout");
  return {
    default: pattern("default"),
    preferred: pattern("preferred"),
    timeout: timeout !== undefined && /^\d{1,9}$/.test(timeout) ? Number(timeout) : undefined,
  };
}

/** What may be chosen: an entry of the menu, in the menu's order. */
export interface Choosable {
  /** With its suffix: `arch.conf`. */
  readonly id: string;
  /** 0: its tries are used up. */
  readonly triesLeft: number | undefined;
}

export interface LoaderChoice {
  /** Undefined where nothing names an entry: the first one is taken. */
  readonly index: number | undefined;
  /** What named it, as people know it: `LoaderEntryOneShot`, `preferred in loader.conf`. */
  readonly why: string | undefined;
  /** Whether LoaderEntryOneShot is to be deleted once it is taken. */
  readonly takesOneShot: boolean;
  /** Those that were named and not found, with what named them. */
  readonly missed: readonly string[];
}

const tooLong = `a pattern of more than ${longestPattern} characters`;

/** Entries of systemd-boot itself, which kexec cannot start: they stay for it. */
const automatic = /^auto-/;

/**
 * The entry that systemd-boot starts: the one-shot, then what is preferred as long as it has tries
 * left, then the default; of each first the EFI variable, then loader.conf.
 */
export function chooseByLoader(
  entries: readonly Choosable[],
  conf: LoaderConf,
  variables: LoaderVariables,
): LoaderChoice {
  const missed: string[] = [];
  const saved = (pattern: string | undefined, why: string) =>
    pattern === "@saved"
      ? { pattern: variables.lastBooted, why: `LoaderEntryLastBooted (${why} is @saved)` }
      : { pattern, why };
  const oneShot = variables.oneShot?.toLowerCase();
  const steps = [
    { pattern: oneShot, why: "LoaderEntryOneShot", good: false },
    { ...saved(variables.preferred, "LoaderEntryPreferred"), good: true },
    { ...saved(conf.preferred, "preferred in loader.conf"), good: true },
    { ...saved(variables.default, "LoaderEntryDefault"), good: false },
    { ...saved(conf.default, "default in loader.conf"), good: false },
  ];
  for (const [step, { pattern, why, good }] of steps.entries()) {
    if (pattern === undefined || pattern === "") continue;
    const index = findByPattern(entries, pattern, good);
    if (index !== undefined) return { index, why, takesOneShot: step === 0, missed };
    if (!(step === 0 && automatic.test(pattern))) {
      missed.push(`${why} (${pattern.length > longestPattern ? tooLong : pattern})`);
    }
  }
  return { index: undefined, why: undefined, takesOneShot: false, missed };
}

/**
 * The first entry that the pattern matches. Ids have their suffix; systemd-boot before 240 left it
 * out, and configurations from then still do.
 */
function findByPattern(
  entries: readonly Choosable[],
  pattern: string,
  good: boolean,
): number | undefined {
  if (pattern.length > longestPattern) return undefined;
  const matches = globOf(pattern.toLowerCase());
  const candidates = entries.map(({ id, triesLeft }, index) => ({
    id: id.toLowerCase(),
    index,
    bad: good && triesLeft === 0,
  }));
  const found = (idOf: (id: string) => string) =>
    candidates.find(({ id, bad }) => !bad && matches(idOf(id)))?.index;
  return found((id) => id) ?? found((id) => id.replace(/\.(conf|efi)$/, ""));
}
