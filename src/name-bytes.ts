/**
 * Names of files as text and as bytes: a name may have any bytes but NUL and the slash, and goes through text
 * unchanged.
 */

/**
 * The bytes of a name or a path: UTF-8, and for half a surrogate the byte that `nameText` wrote it for.
 */
export function nameBytes(text: string): Uint8Array {
  if (text.isWellFormed()) return new TextEncoder().encode(text);
  const bytes = [...text].flatMap((character) => {
    const code = character.charCodeAt(0);
    const isByte = character.length === 1 && code >= 0xdc80 && code <= 0xdcff;
    return isByte ? [code & 0xff] : [...new TextEncoder().encode(character)];
  });
  return Uint8Array.from(bytes);
}

/** A name, or a path, as text that `nameBytes` makes the same bytes of, whatever they are. */
export function nameText(bytes: Uint8Array): string {
  return decoded(bytes) ?? inLatin(bytes).split("/").map(oneName).join("/");
}

/** Each name of a path by itself, so that a name reads alike alone and in a path. */
function oneName(latin: string): string {
  const bytes = Uint8Array.from(latin, (character) => character.charCodeAt(0));
  // All of its bytes beyond ASCII: halves of surrogates never meet what is decoded.
  return (
    decoded(bytes) ??
    latin.replace(/[\x80-\xff]/g, (byte) => String.fromCharCode(0xdc00 + byte.charCodeAt(0)))
  );
}

function inLatin(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
