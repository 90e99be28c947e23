/** The lines of a boot entry: keys and values, with the place of what is no text. Pure. */

export interface EntryLine {
  /** From 1. */
  readonly number: number;
  readonly key: string;
  /** Without blanks around it; a byte that is not UTF-8 is half a surrogate, U+DC00 and the byte. */
  readonly value: string;
  /** The byte of the line, from 1, at which it is not UTF-8. */
  readonly notUtf8: number | undefined;
}

export interface EntryLines {
  readonly lines: readonly EntryLine[];
  /** Why the text cannot be one; `control` where it is hardly text at all. */
  readonly fault: { readonly kind: "control"; readonly why: string } | undefined;
  /** That NULs stand behind the text, as a file system leaves them after a crash. */
  readonly padding: string | undefined;
}

/** Splits at line feeds. Carriage returns at the end of a line are blanks, however many. */
export function entryLines(bytes: Uint8Array): EntryLines {
  let end = bytes.length;
  while (bytes[end - 1] === 0) end -= 1;
  const lines: EntryLine[] = [];
  let padding: string | undefined;
  let number = 1;
  for (let start = 0; start <= end; number++) {
    const feed = bytes.indexOf(0x0a, start);
    const stop = feed < 0 || feed > end ? end : feed;
    const line = bytes.subarray(start, stop);
    const control = controlIn(line);
    if (control !== undefined) {
      const code = (line[control] ?? 0).toString(16).padStart(2, "0");
      const why = `line ${number}, byte ${control + 1}: it has a control character (0x${code})`;
      return { lines, fault: { kind: "control", why }, padding };
    }
    const read = lineOf(number, line);
    if (read !== undefined) lines.push(read);
    if (stop === end && end < bytes.length) {
      padding = `line ${number}, byte ${line.length + 1}: ${bytes.length - end} NUL bytes stand behind its text, which may be cut`;
    }
    start = stop + 1;
  }
  return { lines, fault: undefined, padding };
}

/** All but tab, and carriage returns at the end. */
function controlIn(line: Uint8Array): number | undefined {
  let end = line.length;
  while (line[end - 1] === 0x0d) end -= 1;
  for (let at = 0; at < end; at++) {
    const byte = line[at] ?? 0;
    if ((byte < 0x20 && byte !== 0x09) || byte === 0x7f) return at;
  }
  return undefined;
}

function lineOf(number: number, line: Uint8Array): EntryLine | undefined {
  let end = line.length;
  while (isBlank(line[end - 1])) end -= 1;
  const { text, notUtf8 } = decoded(line.subarray(0, end));
  const trimmed = text.replace(number === 1 ? /^\ufeff?[ \t]*/ : /^[ \t]+/, "");
  if (trimmed === "" || trimmed.startsWith("#")) return undefined;
  const [, key = "", value = ""] = /^(\S+)[ \t]*(.*)$/s.exec(trimmed) ?? [];
  return { number, key, value, notUtf8 };
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** UTF-8 as text; bytes that are none each as half a surrogate, so that a path with them can be opened. */
function decoded(bytes: Uint8Array): {
  readonly text: string;
  readonly notUtf8: number | undefined;
} {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  let notUtf8: number | undefined;
  for (let at = 0; at < bytes.length; ) {
    const length = utf8Length(bytes, at, decoder);
    if (length === 0) {
      notUtf8 ??= at + 1;
      text += String.fromCharCode(0xdc00 + (bytes[at] ?? 0));
      at += 1;
    } else {
      text += decoder.decode(bytes.subarray(at, at + length));
      at += length;
    }
  }
  return { text, notUtf8 };
}

/** Bytes of the ASCII text or the one character at `at`; 0 where it is not UTF-8. */
function utf8Length(bytes: Uint8Array, at: number, decoder: TextDecoder): number {
  let end = at;
  while (end < bytes.length && (bytes[end] ?? 0) < 0x80) end += 1;
  if (end > at) return end - at;
  for (let length = 2; length <= 4 && at + length <= bytes.length; length++) {
    try {
      decoder.decode(bytes.subarray(at, at + length));
      return length;
    } catch {
      // A longer one may be.
    }
  }
  return 0;
}
