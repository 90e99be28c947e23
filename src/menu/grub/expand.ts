/** From the words of a command to its arguments: grub-core/script/execute.c. Pure. */
import { eachWord } from "../blanks.ts";
import { costs } from "./budget.ts";
import type { Piece, Word } from "./words.ts";

export interface Scope {
  variable(name: string): string | undefined;
  /** `$1` and on. */
  readonly parameters: readonly string[];
  /** Files that match a pattern, in which a backslash quotes; undefined where none does. */
  expandPattern(pattern: string): readonly string[] | undefined;
  /** Is told of the work before it is done, and throws where it is too much. */
  spend(work: number): void;
}

/** An argument while it is put together. */
class Argument {
  value = "";
  /** As `value`, what was quoted in it escaped. */
  pattern = "";
  wild = false;

  add(text: string, quoted: boolean): void {
    this.value += text;
    this.pattern += quoted ? text.replace(/[*?\\]/g, "\\$&") : text.replaceAll("\\", "\\\\");
    this.wild ||= !quoted && /[*?]/.test(text);
  }
}

/** Variables, then words of unquoted variables, then patterns of files. */
export function expandWords(words: readonly Word[], scope: Scope): string[] {
  const args: string[] = [];
  for (const word of words) {
    for (const argument of expandWord(word, scope)) {
      const files =
        argument.wild && /^[/(]/.test(argument.value)
          ? scope.expandPattern(argument.pattern)
          : undefined;
      for (const file of files ?? []) scope.spend(costs.argument + costs.character * file.length);
      args.push(...(files ?? [argument.value]));
    }
  }
  return args;
}

function expandWord(word: Word, scope: Scope): readonly Argument[] {
  const done: Argument[] = [];
  // Undefined: nothing is there yet, and an unquoted variable without a value leaves it so.
  let current: Argument | undefined;
  const add = (text: string, quoted: boolean) => {
    scope.spend(costs.piece + costs.character * text.length);
    current ??= new Argument();
    current.add(text, quoted);
  };
  const next = () => {
    scope.spend(costs.argument);
    if (current !== undefined) done.push(current);
    current = undefined;
  };
  for (const piece of word) {
    if (piece.kind === "text") {
      add(piece.text, piece.quoted);
      continue;
    }
    scope.spend(costs.piece);
    for (const [index, value] of valuesOf(piece, scope).entries()) {
      if (index > 0) next();
      if (piece.quoted) {
        add(value, true);
        continue;
      }
      scope.spend(value.length);
      let isFirst = true;
      for (const part of eachWord(value)) {
        if (!isFirst) next();
        isFirst = false;
        add(part, false);
      }
    }
  }
  next();
  return done;
}

/** More than one for `$@`. */
function valuesOf(
  { name, quoted }: Extract<Piece, { kind: "variable" }>,
  { parameters, variable }: Scope,
): readonly string[] {
  if (name === "#") return [String(parameters.length)];
  if (name === "@" || (name === "*" && !quoted)) return parameters;
  if (name === "*") return [parameters.join(" ")];
  if (/^[0-9]/.test(name)) return [parameters[Number(name) - 1] ?? ""];
  return [variable(name) ?? ""];
}
