/** Text of a caller for a message: in quotes, and with nothing that moves a terminal's cursor. */
export function quote(text: string): string {
  // JSON leaves the control characters from U+007F on, and those that turn the direction of text.
  return JSON.stringify(text).replace(
    /\p{C}/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
