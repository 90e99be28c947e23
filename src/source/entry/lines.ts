/** The lines of a boot entry: keys and values, with the place of what is no text. Pure. */
import { unquoted } from "../../menu/blanks.ts";

export interface EntryLine {
  /** From 1. */
  readonly number: number;
  readonly key: string;
  /** Without blanks around it, and one pair of quotation marks; a byte that is not UTF-8 is half a surrogate, U+DC00 and the byte. */
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
  const [, key = "", value = ""] = /^([^ \t]+)[ \t]*(.*)$/s.exec(trimmed) ?? [];
  return { number, key, value: unquoted(value), notUtf8 };
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d;
}

/** UTF-8 as text; bytes that are none each as half a surrogate, so that a path with them can be opened. */
function decoded(bytes: Uint8Array): {
  readonly text: string;
  readonly notUtf8: number | undefined;
} {
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  const pieces: string[] = [];
  let notUtf8: number | undefined;
  let start = 0;
  for (let at = 0; at < bytes.length; ) {
    const length = utf8Length(bytes, at);
    if (length > 0) {
      at += length;
      continue;
    }
    notUtf8 ??= at + 1;
    if (at > start) pieces.push(decoder.decode(bytes.subarray(start, at)));
    pieces.push(String.fromCharCode(0xdc00 + (bytes[at] ?? 0)));
    at += 1;
    start = at;
  }
  pieces.push(decoder.decode(bytes.subarray(start)));
  return { text: pieces.join(""), notUtf8 };
}

/**
 * Bytes of the character at `at`; 0 where it is not UTF-8: table 3-7 of the Unicode standard. By their
 * values alone: a decoder that throws takes half a minute for a folder of bytes that are none.
 */
function utf8Length(bytes: Uint8Array, at: number): number {
  const lead = bytes[at] ?? 0;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  const second = bytes[at + 1] ?? 0;
  const least = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const most = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (length === 0 || second < least || second > most) return 0;
  for (let more = 2; more < length; more++) {
    if (((bytes[at + more] ?? 0) & 0xc0) !== 0x80) return 0;
  }
  return length;
}
