/**
 * Making text safe for a terminal. File names, kernel log lines and command lines are others'
 * words: an escape sequence in them must be seen, not obeyed.
 */

// C0, DEL and C1 controls; line and paragraph separators; the bidirectional overrides, which show
// text in another order than it has (Unicode Standard Annex 9); the byte order mark.
const unsafe = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/**
 * Whether a text has printable ASCII only: what nearly every text is, and quicker to tell than an
 * expression is compiled.
 */
export function isPlain(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code < 0x20 || code > 0x7e) return false;
  }
  return true;
}

/** One line of text, with what a terminal would act on written as `\x1b` or `\u202e`. */
export function visible(text: string): string {
  if (isPlain(text)) return text;
  return text.replace(unsafe, (character) => {
    if (character === "\n") return "\\n";
    if (character === "\t") return "\\t";
    const code = character.charCodeAt(0);
    return code < 0x100 ? `\\x${hex(code, 2)}` : `\\u${hex(code, 4)}`;
  });
}

/** A path as one word of a shell's command line, for hints that people copy: it is others' word too. */
export function shellWord(path: string): string {
  const plain = path.startsWith("-") ? `./${path}` : path;
  return /^[\w./+@%:,=-]+$/.test(plain) ? plain : `'${plain.replaceAll("'", "'\\''")}'`;
}

/** JSON on one line, pure of the same characters; a reader gets the value back unchanged. */
export function visibleJson(value: unknown): string {
  return JSON.stringify(value).replace(
    unsafe,
    (character) => `\\u${hex(character.charCodeAt(0), 4)}`,
  );
}

function hex(code: number, digits: number): string {
  return code.toString(16).padStart(digits, "0");
}
