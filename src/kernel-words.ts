/**
 * A command line as the kernel splits it: next_arg in lib/cmdline.c. Characters are bytes there, and the
 * byte 0xa0, which is half of many a UTF-8 letter, is white space (_S in lib/ctype.c). Pure.
 */

export interface KernelWords {
  /** A character of a word is a byte of the line. Quotes are included. */
  readonly words: readonly string[];
  /** Whether the line ends inside a quoted value. */
  readonly isOpen: boolean;
}

/** Splits at white space outside double quotes; a quote cannot be escaped. */
export function kernelWords(line: string): KernelWords {
  const { pieces, isOpen } = piecesOf(line);
  return { words: pieces.filter(({ isWord }) => isWord).map(({ bytes }) => bytes), isOpen };
}

/** A word, or the white space between two. */
interface Piece {
  readonly isWord: boolean;
  readonly bytes: string;
}

function piecesOf(line: string): { readonly pieces: readonly Piece[]; readonly isOpen: boolean } {
  const pieces: Piece[] = [];
  let bytes = "";
  let isWord = false;
  let isQuoted = false;
  for (const byte of new TextEncoder().encode(line)) {
    const character = String.fromCharCode(byte);
    const isPartOfWord = isQuoted || !/[\t-\r \u00a0]/.test(character);
    if (isPartOfWord !== isWord) {
      if (bytes !== "") pieces.push({ isWord, bytes });
      bytes = "";
      isWord = isPartOfWord;
    }
    if (character === '"') isQuoted = !isQuoted;
    bytes += character;
  }
  if (bytes !== "") pieces.push({ isWord, bytes });
  return { pieces, isOpen: isQuoted };
}

/** Whether all that comes behind this word belongs to init: parse_args in kernel/params.c. */
export function endsParameters(word: string): boolean {
  return word === "--" || word === '"--"' || word === '"--';
}

/**
 * The values of a parameter, in their order, without the quotes around them. Names are compared as the
 * kernel does, `-` for `_` (parameq in kernel/params.c).
 */
export function parameterValues(line: string, name: string): readonly string[] {
  const { words } = kernelWords(line);
  const end = words.findIndex(endsParameters);
  return words.slice(0, end < 0 ? undefined : end).flatMap((word) => {
    const whole = word.startsWith('"') ? word.slice(1).replace(/"$/, "") : word;
    const equals = whole.indexOf("=", 1);
    if (equals < 0 || whole.slice(0, equals).replaceAll("-", "_") !== name) return [];
    const value = whole.slice(equals + 1);
    return [value.startsWith('"') ? value.slice(1).replace(/"$/, "") : value];
  });
}

/**
 * The line without some of its words, and with one space between the others. White space that may be
 * half of a letter stays as it is.
 * @param isUnwanted Is given the bytes of a word.
 */
export function withoutWords(line: string, isUnwanted: (word: string) => boolean): string {
  let kept = "";
  let gap = "";
  let isKept = true;
  for (const { isWord, bytes } of piecesOf(line).pieces) {
    if (!isWord) {
      // The other half of the letter stands at the end of the word before.
      if (isKept && bytes.includes("\u00a0")) gap += bytes;
      continue;
    }
    isKept = !isUnwanted(bytes);
    if (!isKept) continue;
    kept += (gap === "" && kept !== "" ? " " : gap) + bytes;
    gap = "";
  }
  const bytes = kept + gap.replace(/[\t-\r ]+$/, "");
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
