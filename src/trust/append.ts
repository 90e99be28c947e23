/**
 * Which words `--append` may add to a signed command line. The kernel, its early
 * boot code, init systems and the scripts of an initramfs each split that line in
 * their own way: what is let through must be the same words to all of them.
 */

import { endsParameters, kernelWords } from "../kernel-words.ts";

/**
 * Every reason why `appended` may not be added to the signed line `signed`, before
 * its `--`; none where it may. Each word must be let through by an entry of
 * `allowed`: `name=` lets through every word that begins so, any other entry
 * the word that equals it. Quotes and backslashes are refused altogether: inside
 * them arch/x86/lib/cmdline.c and shell scripts see words where lib/cmdline.c sees
 * none, and systemd takes quotes and backslashes that the kernel does not. So is
 * everything but printable ASCII, for 0xa0 is white space to lib/ctype.c.
 */
export function appendProblems(
  appended: string,
  allowed: readonly string[],
  signed: string,
): readonly string[] {
  if (!/^[ -~]*$/.test(appended)) return ["a character other than printable ASCII"];
  if (/["'\\]/.test(appended)) return ["a quote or backslash"];
  const { words } = kernelWords(appended);
  if (words.length === 0) return [];

  const problems: string[] = [];
  const signedWords = kernelWords(signed);
  if (signedWords.isOpen || isOpenToOthers(signed)) {
    problems.push(
      `the signed command line ends ${signed.endsWith("\\") ? "in a backslash" : "inside a quoted value"}`,
    );
  }
  for (const word of words) {
    if (endsParameters(word)) problems.push("-- ends the kernel's own parameters");
    else if (!isAllowed(word, allowed)) problems.push(`${word} is not let through`);
  }
  return problems;
}

/**
 * Whether some reader is inside quotes at the end of the line, or takes the blank behind it for part of a
 * word: shells and systemd (src/basic/extract-word.c) have single quotes too, and backslashes, which
 * count inside of quotes to some and not to others.
 */
function isOpenToOthers(line: string): boolean {
  return [false, true].some((escapes) => {
    let quote = "";
    for (let at = 0; at < line.length; at++) {
      const character = line.charAt(at);
      if (character === "\\" && escapes) {
        if (at === line.length - 1) return true;
        at += 1;
      } else if (quote === "") {
        if (character === '"' || character === "'") quote = character;
      } else if (character === quote) quote = "";
    }
    return quote !== "" || line.endsWith("\\");
  });
}

function isAllowed(word: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => word === entry || (entry.endsWith("=") && word.startsWith(entry)));
}

/** The rule that an entry of a policy's `allowAppend` breaks. */
export function allowEntryProblem(entry: string): string | undefined {
  if (entry === "") return "must not be empty";
  if (!/^[!-~]+$/.test(entry)) return "must be one word of printable ASCII";
  if (/["'\\]/.test(entry)) return "must not have quotes or backslashes";
  if (entry.startsWith("=")) return "must begin with the name of a parameter";
  if (entry === "--") return "must not be --";
  return undefined;
}

/** What every one of the lists lets through; nothing where there is no list. */
export function narrowAllowed(lists: readonly (readonly string[])[]): readonly string[] {
  const [first = [], ...rest] = lists;
  return rest.reduce((kept, next) => {
    const both = [
      ...kept.filter((entry) => isAllowed(entry, next)),
      ...next.filter((entry) => isAllowed(entry, kept)),
    ];
    return [...new Set(both)];
  }, first);
}
