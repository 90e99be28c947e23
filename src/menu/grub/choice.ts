/** Which entry GRUB starts by itself: `default` and `fallback`, grub-core/normal/menu.c. Pure. */
import { eachWord, trimmed } from "../blanks.ts";
import { numberOf } from "./test.ts";
import type { Variables } from "./variables.ts";

const mostFallbacks = 64;

/** A menu or submenu with what its entries came to. */
export interface Level {
  readonly nodes: readonly Node[];
  readonly variables: Variables;
}

export interface Node {
  readonly title: string;
  readonly id: string;
  /** Of `ReadMenu.entries`; undefined for a submenu. */
  readonly index: number | undefined;
  readonly below: Level | undefined;
}

/** What is behind the first `>` that no second follows: for the submenu. */
export function rest(value: string): string | undefined {
  const [, inner] = split(value);
  return inner === "" ? undefined : inner;
}

/** The name of an entry and what is behind it; `>>` is a `>` in a name. */
function split(value: string): readonly [string, string] {
  const found = /^((?:[^>]|>>)*)(?:>([\s\S]*))?$/.exec(value);
  return [(found?.[1] ?? value).replaceAll(">>", ">"), found?.[2] ?? ""];
}

/**
 * The entry of one level that a value names: a number alone, else a title or an id. A title that only
 * begins with a digit is a title, as GRUB has it since 2.12 and Fedora's longer.
 */
function named(nodes: readonly Node[], value: string): number | undefined {
  const [name] = split(value);
  if (/^(0x[0-9a-f]+|[0-9]+)$/i.test(trimmed(name))) {
    const number = numberOf(name);
    return number < nodes.length ? number : undefined;
  }
  const index = nodes.findIndex(({ title, id }) => title === name || id === name);
  return index < 0 ? undefined : index;
}

export function chosenByDefault(
  level: Level,
  environment: ReadonlyMap<string, string>,
): { default: number | undefined; why: string } {
  const value = level.variables.get("default");
  const index = entryBelow(level);
  if (value === undefined || value === "") {
    return { default: index, why: "the first entry: no default is set" };
  }
  if (named(level.nodes, value) === undefined) {
    return { default: index, why: `the first entry: default=${value} names none` };
  }
  const variable = ["next_entry", "saved_entry"].find((name) => environment.get(name) === value);
  return {
    default: index,
    why: variable === undefined ? `default=${value}` : `${variable} in grubenv`,
  };
}

/** The default of a level, through its submenus. */
function entryBelow({ nodes, variables }: Level): number | undefined {
  const value = variables.get("default");
  const node = nodes[(value === undefined ? undefined : named(nodes, value)) ?? 0];
  return node?.below === undefined ? node?.index : entryBelow(node.below);
}

export function fallbackOf({ nodes, variables }: Level): readonly number[] {
  const numbers = eachWord(variables.get("fallback") ?? "");
  return [...numbers].slice(0, mostFallbacks).flatMap((text) => {
    const node = nodes[named(nodes, text) ?? nodes.length];
    const index = node?.below === undefined ? node?.index : entryBelow(node.below);
    return index === undefined ? [] : [index];
  });
}

export function timeoutOf(variables: Variables): number | undefined {
  const value = variables.get("timeout");
  return value === undefined || !/^[0-9]/.test(trimmed(value)) ? undefined : numberOf(value);
}
