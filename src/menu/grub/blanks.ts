/** Blanks as GRUB has them: grub_isspace of include/grub/misc.h. Those of Unicode are letters. Pure. */

const blanks = " \t\n\v\f\r";
const notBlank = /[^ \t\n\v\f\r]+/g;

/** The words between blanks, one at a time. */
export function* wordsOf(text: string): Generator<string> {
  for (const [word] of text.matchAll(notBlank)) yield word;
}

/** Without the blanks at both ends. */
export function trimmed(text: string): string {
  let [start, end] = [0, text.length];
  while (start < end && blanks.includes(text.charAt(start))) start += 1;
  while (end > start && blanks.includes(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
