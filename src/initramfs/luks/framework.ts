/** What the frameworks that open volumes have in common: what their plan is made of, and what it says. */
import { cannot, type KexecError } from "../../errors.ts";
import { parameterValues } from "../../kernel-words.ts";
import type { CrypttabEntry } from "./table.ts";

/** What each framework's plan is made of. */
export interface Asked {
  readonly uuids: readonly string[];
  /** The volumes of its table; undefined where there is none, or none that could be read. */
  readonly table: readonly CrypttabEntry[] | undefined;
  readonly whole: boolean;
  /** The command line. */
  readonly line: string;
}

/** What a framework says: a place for each UUID, in their order. */
export interface Planned {
  readonly places: readonly string[];
  readonly words: readonly string[];
  readonly warnings: readonly string[];
}

/** An error over one volume's key. */
export function cannotPass(
  uuid: string,
  why: string,
  hint: string,
  code: "malformed-input" | "usage" = "malformed-input",
): KexecError {
  return cannot(`pass on the key of ${uuid}`, { code, why, hint });
}

/** The name of the volume that `root=/dev/mapper/NAME` says; undefined where it says none. */
export function rootName(line: string): string | undefined {
  return /^\/dev\/mapper\/([\w.+-]+)$/.exec(parameterValues(line, "root").at(-1) ?? "")?.[1];
}
