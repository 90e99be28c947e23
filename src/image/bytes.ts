/**
 * Bounded reading of untrusted bytes. Image readers take a `ByteSource`, so
 * that looking at a kernel costs its headers and not its length.
 */

import { type Cause, cannot, type ErrorCode } from "../errors.ts";

export interface ByteSource {
  /** Length of the whole, in bytes. */
  readonly size: number;
  /**
   * Bytes [offset, offset + length), exactly. Throws `RangeError` when the range
   * is not inside the source; a source that does I/O throws `KexecError` when
   * that fails. The bytes stay as they are when `read` is called again, unless `into` is given:
   * an array of that length or more, which a source that copies fills instead of a new one.
   */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array;
}

/** What an image is called, and what is told of it, where somebody looks at it. */
export interface ImageSummary {
  readonly format: string;
  /** Texts, numbers (bytes) and truth values. */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/**
 * A file that announces a format and breaks one of its rules. `why` names the rule, and has no text
 * that was taken from the file.
 */
export interface ImageProblem extends Cause {
  readonly kind: "broken";
  readonly format: string;
}

export function broken(format: string, code: ErrorCode, why: string): ImageProblem {
  const problem = { kind: "broken", format, code, why } as const;
  return code === "kernel-truncated" ? { ...problem, hint: "copy or download it again" } : problem;
}

/** Whether [offset, offset + length) lies inside `size` bytes; no sum can overflow. */
export function isWithin(size: number, offset: number, length: number): boolean {
  return (
    Number.isSafeInteger(offset) &&
    Number.isSafeInteger(length) &&
    offset >= 0 &&
    length >= 0 &&
    offset <= size &&
    length <= size - offset
  );
}

/** A source over bytes in memory. What it reads is a view, not a copy. */
export function bytesOf(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read(offset, length) {
      if (!isWithin(bytes.length, offset, length)) {
        throw new RangeError(`read of ${length} bytes at ${offset} of ${bytes.length}`);
      }
      return bytes.subarray(offset, offset + length);
    },
  };
}

/**
 * Part of a source as a source of its own. Throws `RangeError` when the part is
 * not inside.
 */
export function sliceOf(source: ByteSource, start: number, size: number): ByteSource {
  if (!isWithin(source.size, start, size)) {
    throw new RangeError(`slice of ${size} bytes at ${start} of ${source.size}`);
  }
  return {
    size,
    read(offset, length, into) {
      if (!isWithin(size, offset, length)) {
        throw new RangeError(`read of ${length} bytes at ${offset} of ${size}`);
      }
      return source.read(start + offset, length, into);
    },
  };
}

/** The range as bytes, or undefined where it is not inside the source. */
export function readWithin(
  source: ByteSource,
  offset: number,
  length: number,
): Uint8Array | undefined {
  return isWithin(source.size, offset, length) ? source.read(offset, length) : undefined;
}

/** What each read costs, in bytes: a system call, and an array for what it gives. */
const costOfRead = 64;

/** So many bytes may be read of sources that nobody vouches for, all of them together. */
export class ReadBudget {
  constructor(private left: number) {}

  /** @throws KexecError `file-too-large` where the budget is used up */
  take(bytes: number): void {
    this.left -= bytes + costOfRead;
    if (this.left >= 0) return;
    throw cannot("read on", {
      code: "file-too-large",
      why: "there is more in these files than any boot entry needs",
    });
  }
}

/** A source whose reads are taken off a budget, as far as it goes. */
export function budgeted(source: ByteSource, budget: ReadBudget): ByteSource {
  return {
    size: source.size,
    read(offset, length) {
      budget.take(length);
      return source.read(offset, length);
    },
  };
}

/** The first `length` bytes, or all there are. */
export function head(source: ByteSource, length: number): Uint8Array {
  return source.read(0, Math.min(length, source.size));
}

/** Little-endian fields of a header; every reader throws `RangeError` outside of it. */
export interface Fields {
  readonly size: number;
  u8(offset: number): number;
  u16(offset: number): number;
  u32(offset: number): number;
  u64(offset: number): bigint;
  /** Printable ASCII at `offset`, up to the first NUL or `length` bytes; see `printable`. */
  text(offset: number, length: number): string;
}

export function fieldsOf(bytes: Uint8Array): Fields {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return {
    size: bytes.length,
    u8: (offset) => view.getUint8(offset),
    u16: (offset) => view.getUint16(offset, true),
    u32: (offset) => view.getUint32(offset, true),
    u64: (offset) => view.getBigUint64(offset, true),
    text(offset, length) {
      if (!isWithin(bytes.length, offset, length)) {
        throw new RangeError(`text of ${length} bytes at ${offset} of ${bytes.length}`);
      }
      return printable(bytes.subarray(offset, offset + length));
    },
  };
}

/**
 * Bytes up to the first NUL as text, with everything but printable ASCII left
 * out: text from a file reaches terminals and logs.
 */
export function printable(bytes: Uint8Array): string {
  let text = "";
  // By index: the first use of an iterator costs more than all the rest of a header.
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === 0) break;
    if (byte >= 0x20 && byte <= 0x7e) text += String.fromCharCode(byte);
  }
  return text;
}

/**
 * `text` without the characters at its end that `character` matches, in one pass: an expression such
 * as `/\s+$/` starts anew at each of them, and takes minutes for a megabyte of blanks inside.
 */
export function trimmedEnd(text: string, character: RegExp): string {
  let end = text.length;
  while (end > 0 && character.test(text.charAt(end - 1))) end -= 1;
  return text.slice(0, end);
}

/** Whether `bytes` has `magic` at `offset`. */
export function hasMagic(bytes: Uint8Array, offset: number, magic: readonly number[]): boolean {
  // Outside of them no byte is any of the magic.
  for (let at = 0; at < magic.length; at++) if (bytes[offset + at] !== magic[at]) return false;
  return true;
}

/** ASCII text as the bytes of a magic. */
export function magicOf(text: string): readonly number[] {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at++) bytes.push(text.charCodeAt(at));
  return bytes;
}

/** Bytes that are digested at once. */
const piece = 1 << 18;

/**
 * Reads the bytes [start, end) in pieces; each is good until the next one is read. One array serves
 * for all of them: what is read before a load would else be garbage in memory that the load needs.
 */
export function readPieces(
  source: ByteSource,
  start: number,
  end: number,
  use: (bytes: Uint8Array, at: number) => void,
): void {
  const into = new Uint8Array(Math.max(0, Math.min(piece, end - start)));
  for (let at = start; at < end; at += piece) {
    use(source.read(at, Math.min(piece, end - at), into), at);
  }
}

/** SHA-256 of a whole file as hex. `onRead` hears how many bytes are done, and which came last. */
export function sha256Of(
  file: ByteSource,
  onRead?: (done: number, bytes: Uint8Array) => void,
): string {
  const hasher = new Bun.CryptoHasher("sha256");
  readPieces(file, 0, file.size, (bytes, at) => {
    hasher.update(bytes);
    onRead?.(at + bytes.length, bytes);
  });
  return hasher.digest("hex");
}
