/**
 * GRUB's environment block, `grubenv`: lines of `name=value` in a file of fixed size that `#` fill.
 * As grub-core/lib/envblk.c reads and writes it: a backslash makes the next byte part of the value,
 * a line feed too. Pure: bytes in, bytes out.
 */
import { broken, type ImageProblem } from "../image/bytes.ts";

const signature = "# GRUB Environment Block\n";
/** GRUB makes blocks of 1024 bytes; a larger one is no mistake, but must have an end. */
export const largestGrubenv = 64 << 10;
const most = 1024;

/** Bytes as characters of one byte each, so that what is not UTF-8 stays as it is. */
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");
const bytesOf = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, "latin1"));
const decoded = (text: string): string => new TextDecoder().decode(bytesOf(text));
const encoded = (value: string): string => textOf(new TextEncoder().encode(value));

/** The variables of a block in their order, or the rule that it breaks. */
export function readGrubenv(bytes: Uint8Array): ReadonlyMap<string, string> | ImageProblem {
  const fault = faultOf(bytes);
  if (fault !== undefined) return fault;
  const text = textOf(bytes);
  const variables = new Map<string, string>();
  for (let at = signature.length; at < text.length && variables.size < most; ) {
    const end = endOfLine(text, at);
    if (text[at] !== "#") {
      const equals = text.indexOf("=", at);
      // As GRUB: a line without an end is no line, and nothing is behind it.
      if (equals < 0 || end >= text.length) break;
      // A line without "=" is part of the next line's name there; no name of a variable has that.
      if (equals < end) {
        const value = text.slice(equals + 1, end).replace(/\\([\s\S])/g, "$1");
        variables.set(decoded(text.slice(at, equals)), decoded(value));
      }
    }
    at = end + 1;
  }
  return variables;
}

/**
 * The block with these variables set, or taken out where their value is undefined, of the same size:
 * GRUB writes into the blocks that the file has, and so does who writes for it.
 */
export function writeGrubenv(
  bytes: Uint8Array,
  changes: ReadonlyMap<string, string | undefined>,
): Uint8Array | ImageProblem {
  const fault = faultOf(bytes);
  if (fault !== undefined) return fault;
  let free = bytes.length;
  while (bytes[free - 1] === 0x23) free -= 1;
  let text = textOf(bytes.subarray(0, free));
  if (!text.endsWith("\n")) return malformed("its last line has no end");
  for (const [name, value] of changes) text = changed(text, encoded(name), value);
  if (text.length > bytes.length) {
    return malformed(`it has no room for ${[...changes.keys()].join(", ")}`);
  }
  return bytesOf(text.padEnd(bytes.length, "#"));
}

function changed(text: string, name: string, value: string | undefined): string {
  const line = value === undefined ? "" : `${name}=${encoded(value).replace(/[\\\n]/g, "\\$&")}\n`;
  for (let at = signature.length; at < text.length; ) {
    const next = endOfLine(text, at) + 1;
    if (text.startsWith(`${name}=`, at)) return text.slice(0, at) + line + text.slice(next);
    at = next;
  }
  return text + line;
}

/** Where the line that begins at `start` ends: at its line feed, or past the end of the text. */
function endOfLine(text: string, start: number): number {
  let at = start;
  while (at < text.length && text[at] !== "\n") at += text[at] === "\\" ? 2 : 1;
  return at;
}

function faultOf(bytes: Uint8Array): ImageProblem | undefined {
  if (bytes.length > largestGrubenv) return malformed(`it is larger than ${largestGrubenv} bytes`);
  const head = textOf(bytes.subarray(0, signature.length));
  return head === signature
    ? undefined
    : malformed(`it does not begin with "${signature.trimEnd()}"`);
}

function malformed(problem: string): ImageProblem {
  return broken("grubenv", "malformed-input", problem);
}
