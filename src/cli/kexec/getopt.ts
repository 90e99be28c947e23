/**
 * Words read as getopt_long(3) of the GNU C library reads them: options before, between and behind
 * the operands, short ones bundled, long ones by any unambiguous beginning. Its messages too, since
 * scripts grep them. Pure.
 */

/** An option as it can be written. Several spellings with one `id` mean the same. */
export interface Spelling<Id> {
  /** Without dashes. One letter makes a short option. */
  readonly name: string;
  readonly id: Id;
  readonly takesValue: boolean;
  /** Found only by its whole name, so that the beginnings of the other names stay as they are. */
  readonly wholeOnly?: boolean;
}

export interface Given<Id> {
  readonly id: Id;
  /** The option as it was found, with its dashes and in full. */
  readonly name: string;
  readonly value: string | undefined;
}

export interface Words<Id> {
  /** In the order given. */
  readonly options: readonly Given<Id>[];
  readonly operands: readonly string[];
  /** What is wrong with the first word that is no option, in getopt's words; nothing follows it. */
  readonly problem: string | undefined;
}

type Found<Id> = { readonly spelling: Spelling<Id> } | { readonly problem: string };

export function getopt<Id>(spellings: readonly Spelling<Id>[], argv: readonly string[]): Words<Id> {
  const options: Given<Id>[] = [];
  const operands: string[] = [];
  const words = argv.values();
  const stop = (problem: string): Words<Id> => ({ options, operands, problem });

  for (const word of words) {
    if (word === "--") {
      operands.push(...words);
    } else if (word.startsWith("--")) {
      const equals = word.indexOf("=");
      const found = findLong(spellings, word, equals < 0 ? word.slice(2) : word.slice(2, equals));
      if ("problem" in found) return stop(found.problem);
      const { id, takesValue, name } = found.spelling;
      if (equals >= 0 && !takesValue) return stop(`option '--${name}' doesn't allow an argument`);
      // The next word is the value whatever it looks like.
      const value = !takesValue ? undefined : equals < 0 ? next(words) : word.slice(equals + 1);
      if (takesValue && value === undefined) return stop(`option '--${name}' requires an argument`);
      options.push({ id, name: `--${name}`, value });
    } else if (word.startsWith("-") && word !== "-") {
      const problem = readBundle(spellings, word, words, options);
      if (problem !== undefined) return stop(problem);
    } else {
      operands.push(word);
    }
  }
  return { options, operands, problem: undefined };
}

function next(words: Iterator<string>): string | undefined {
  const { done, value } = words.next();
  return done === true ? undefined : value;
}

/** `-lse`, `-tTYPE`, `-t TYPE`. Returns the problem, if there is one. */
function readBundle<Id>(
  spellings: readonly Spelling<Id>[],
  word: string,
  words: Iterator<string>,
  options: Given<Id>[],
): string | undefined {
  for (let at = 1; at < word.length; at += 1) {
    const letter = word.charAt(at);
    const spelling = spellings.find(({ name }) => name === letter);
    if (spelling === undefined) return `invalid option -- '${letter}'`;
    const { id, takesValue } = spelling;
    if (!takesValue) {
      options.push({ id, name: `-${letter}`, value: undefined });
      continue;
    }
    const value = at + 1 < word.length ? word.slice(at + 1) : next(words);
    if (value === undefined) return `option requires an argument -- '${letter}'`;
    options.push({ id, name: `-${letter}`, value });
    break;
  }
  return undefined;
}

function findLong<Id>(spellings: readonly Spelling<Id>[], word: string, start: string): Found<Id> {
  const long = spellings.filter(({ name }) => name.length > 1);
  const whole = long.find(({ name }) => name === start);
  if (whole !== undefined) return { spelling: whole };
  const begun = long.filter(({ name, wholeOnly }) => wholeOnly !== true && name.startsWith(start));
  const [first] = begun;
  if (first === undefined) return { problem: `unrecognized option '${word}'` };
  const others = begun.filter(
    ({ id, takesValue }) => id !== first.id || takesValue !== first.takesValue,
  );
  if (others.length === 0) return { spelling: first };
  const names = [first, ...others].map(({ name }) => ` '--${name}'`).join("");
  return { problem: `option '${word}' is ambiguous; possibilities:${names}` };
}
