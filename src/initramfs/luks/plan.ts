/** Where the keys of volumes go in the next initramfs, and the words that make it look there. Pure. */
import { cannot } from "../../errors.ts";
import { checkDestination, covered } from "../secret.ts";
import { planEncrypt } from "./encrypt.ts";
import { type Asked, cannotPass, type Planned } from "./framework.ts";
import { planInitramfsTools } from "./initramfs-tools.ts";
import { planSystemd } from "./systemd.ts";
import type { CrypttabEntry } from "./table.ts";
import { type Framework, frameworks, keyFolder, type LuksVolume } from "./volume.ts";

/** What the archives have of what opens volumes. */
export interface Seen {
  readonly frameworks: ReadonlySet<Framework>;
  /** By whose it is; where an archive has none, nothing. */
  readonly tables: Readonly<Partial<Record<Framework, readonly CrypttabEntry[]>>>;
  /** Files below the folder of keys, as absolute paths. */
  readonly keys: ReadonlySet<string>;
  /** Whether all of them could be read to the end; where not, there may be more. */
  readonly whole: boolean;
}

/** A key with its place. */
export interface PlacedKey {
  readonly uuid: string;
  readonly framework: Framework;
  readonly destination: string;
}

export interface KeyPlan {
  readonly keys: readonly PlacedKey[];
  /** Words for the command line; none of them is on it yet. */
  readonly words: readonly string[];
  readonly warnings: readonly string[];
}

const planners: Readonly<Record<Framework, (asked: Asked) => Planned>> = {
  systemd: planSystemd,
  "initramfs-tools": planInitramfsTools,
  encrypt: planEncrypt,
};

/**
 * @param line The command line that the keys' words would be added to.
 * @throws KexecError `usage` where the framework has to be named; `malformed-input` where the next initramfs
 * would not look for a key
 */
export function planKeys(volumes: readonly LuksVolume[], seen: Seen, line: string): KeyPlan {
  const told = new Map<Framework, string[]>();
  for (const { uuid, framework } of volumes) {
    const one = framework ?? frameworkOf(uuid, seen);
    told.set(one, [...(told.get(one) ?? []), uuid]);
  }
  const keys: PlacedKey[] = [];
  const words: string[] = [];
  const warnings: string[] = [];
  for (const [framework, uuids] of told) {
    if (!seen.frameworks.has(framework) && seen.whole) {
      warnings.push(`the initramfs has nothing of ${framework} that would open a LUKS volume`);
    }
    const table = seen.tables[framework];
    const planned = planners[framework]({ uuids, table, whole: seen.whole, line });
    words.push(...planned.words);
    warnings.push(...planned.warnings);
    for (const [index, uuid] of uuids.entries()) {
      const destination = planned.places[index] ?? "";
      requirePlace(uuid, destination, seen);
      keys.push({ uuid, framework, destination });
    }
  }
  for (const word of words) requirePlain(word);
  return { keys, words, warnings };
}

function frameworkOf(uuid: string, seen: Seen): Framework {
  const [one, ...others] = frameworks.filter((name) => seen.frameworks.has(name));
  if (one !== undefined && others.length === 0) return one;
  throw cannotPass(
    uuid,
    one === undefined
      ? `what opens volumes in the next initramfs cannot be told: ${seen.whole ? "the archives have nothing of the kind" : "an archive cannot be read here"}`
      : `the archives have more than one thing that opens volumes: ${[one, ...others].join(", ")}`,
    `name it: --luks UUID=SRC:FRAMEWORK, of ${frameworks.join(", ")}\nor put the key where it is looked for by --secret`,
    "usage",
  );
}

/** The place that a table or the command line names may be anything. */
function requirePlace(uuid: string, destination: string, seen: Seen): void {
  const folder = covered.find((one) => destination.startsWith(`${one}/`));
  if (folder !== undefined) {
    throw cannotPass(
      uuid,
      `it is looked for at ${destination}, and the next initramfs mounts a new file system over ${folder}`,
      `name no key file for the volume, or one below ${keyFolder}/`,
    );
  }
  if (seen.keys.has(destination)) {
    throw cannotPass(
      uuid,
      `the initramfs has a file at ${destination} already`,
      "leave --luks out, or make the initramfs without that key",
    );
  }
  checkDestination(destination);
}

/** To every reader of the line it must be one word: shells and systemd take quotes and backslashes. */
function requirePlain(word: string): void {
  if (/^[!-~]+$/.test(word) && !/["'\\]/.test(word)) return;
  throw cannot("pass on the key of a LUKS volume", {
    code: "malformed-input",
    why: "what the initramfs' crypttab says cannot be written on a command line: it has blanks, quotes or backslashes",
    hint: "take them out of crypttab, and make the initramfs anew",
  });
}
