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
 * What the line says to a module, as the call that loads it takes it: `NAME.PARAMETER=VALUE` is a module's own
 * where it is not part of the kernel, and who loads it passes it on (kernel/params.c, modprobe(8)).
 */
export function moduleParameters(line: string, module: string): string {
  const { words } = kernelWords(partedAtDashes(line).parameters);
  const said = words.flatMap((word) => {
    const quote = word.startsWith('"') ? '"' : "";
    const bare = word.slice(quote.length);
    const dot = bare.indexOf(".");
    const equals = bare.indexOf("=");
    const isOurs = dot > 0 && (equals < 0 || dot < equals);
    if (!isOurs || bare.slice(0, dot).replaceAll("-", "_") !== module) return [];
    return [quote + bare.slice(dot + 1)];
  });
  return textOf(said.join(" "));
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
  return textOf(kept + gap.replace(/[\t-\r ]+$/, ""));
}

/** A line in two: what the kernel reads, and what is init's, without the word that parts them. */
export interface PartedLine {
  readonly parameters: string;
  /** Undefined where nothing parts them. */
  readonly init: string | undefined;
}

/** Parts a line at the first word that ends the kernel's parameters. */
export function partedAtDashes(line: string): PartedLine {
  if (!line.includes("--")) return { parameters: line, init: undefined };
  const { pieces } = piecesOf(line);
  const at = pieces.findIndex(({ isWord, bytes }) => isWord && endsParameters(bytes));
  if (at < 0) return { parameters: line, init: undefined };
  const text = (some: readonly Piece[]) => textOf(some.map(({ bytes }) => bytes).join(""));
  return { parameters: text(pieces.slice(0, at)).trim(), init: text(pieces.slice(at + 1)).trim() };
}

/** The line with a blank for each tab between words, which is all that a tab is to the kernel. */
export function withoutTabs(line: string): string {
  if (!line.includes("\t")) return line;
  return textOf(
    piecesOf(line)
      .pieces.map(({ isWord, bytes }) => (isWord ? bytes : bytes.replaceAll("\t", " ")))
      .join(""),
  );
}

/** The line with each parameter once that stands in it twice, word for word: the last one counts. */
export function withoutRepeats(line: string): string {
  const { words } = kernelWords(line);
  const end = words.findIndex(endsParameters);
  const last = new Map(words.slice(0, end < 0 ? undefined : end).map((word, at) => [word, at]));
  let at = -1;
  return withoutWords(line, (word) => {
    at += 1;
    return (end < 0 || at < end) && last.get(word) !== at;
  });
}

function textOf(bytes: string): string {
  return new TextDecoder().decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
