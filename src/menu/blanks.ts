/**
 * Values in the configurations of boot loaders. Those know the blanks of ASCII alone: of `\\s`, U+00A0 and
 * its like are letters to them, and part of a word. Pure.
 */

/** As isspace of C, and grub_isspace (include/grub/misc.h). */
const blank = /[ \t\v\f\r\n]/;

/** Without blanks around it, in one pass. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && blank.test(text.charAt(start))) start += 1;
  while (end > start && blank.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** Without blanks at its end, in one pass. */
export function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && blank.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** The words between blanks. */
export function wordsOf(text: string): readonly string[] {
  return [...eachWord(text)];
}

/** One at a time. */
export function* eachWord(text: string): Generator<string> {
  for (const [word] of text.matchAll(/[^ \t\v\f\r\n]+/g)) yield word;
}

/** The first word, and what is behind it as it stands, without blanks around it. */
export function parted(text: string): readonly [first: string, rest: string] {
  const whole = trimmed(text);
  const end = whole.search(blank);
  return end < 0 ? [whole, ""] : [whole.slice(0, end), trimmed(whole.slice(end))];
}

/**
 * Without one pair of quotation marks around it: line_get_key_value of systemd (src/boot/efi-string.c; before
 * 254 in src/boot/efi/boot.c), which reads boot entries and loader.conf. `'` counts in the newest. A mark
 * alone is both ends there.
 */
export function unquoted(value: string): string {
  const mark = value.charAt(0);
  const isQuoted = (mark === '"' || mark === "'") && value.endsWith(mark);
  return isQuoted ? value.slice(1, Math.max(1, value.length - 1)) : value;
}
