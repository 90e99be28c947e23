/** Reading a few bytes here and there of a source, in few reads where they lie close together. */
import type { ByteSource } from "../image/bytes.ts";

const shortest = 256;
const longest = 64 << 10;
/** What is compared with zeros at once. */
const piece = 1 << 20;
let zeros: Uint8Array | undefined;

/** The last bytes that were read of a source, and more of them the closer the next ones lie. */
export class Window {
  private start = 0;
  private bytes: Uint8Array = new Uint8Array();
  private length = shortest;
  private last: number | undefined;

  constructor(
    private readonly source: ByteSource,
    /** Where the bytes end that count. */
    readonly end: number,
  ) {}

  /** The bytes at `at`: `length` of them, or as many as there are. */
  read(at: number, length: number): Uint8Array {
    const wanted = Math.max(0, Math.min(length, this.end - at));
    if (wanted === 0) return new Uint8Array();
    const from = at - this.start;
    if (from >= 0 && from + wanted <= this.bytes.length)
      return this.bytes.subarray(from, from + wanted);
    // Twice as many would have held these too: what lies farther off is cheaper to read alone.
    const near = from >= 0 && from < this.bytes.length + this.length;
    this.length = near ? Math.min(longest, this.length * 2) : shortest;
    this.start = at;
    const size = Math.min(Math.max(wanted, this.length), this.end - at);
    this.bytes = this.source.read(at, size);
    return this.bytes.subarray(0, wanted);
  }

  /** The place of the first byte from `at` on that is not zero; `end` where there is none. */
  skipZeros(at: number): number {
    let place = at;
    while (place < this.end) {
      if (place - at >= longest) {
        place = this.skipPieces(place);
        if (place >= this.end) break;
      }
      // What was read already, and no more than the next read would give: most paddings are short.
      this.read(place, 1);
      const { bytes } = this;
      // A loop: a function called for each byte of padding would cost more than the read.
      for (let index = place - this.start; index < bytes.length; index++)
        if (bytes[index] !== 0) return this.start + index;
      place = this.start + bytes.length;
    }
    return this.end;
  }

  /** From `at` on as many pieces as have nothing but zeros: what is sparse may be long. */
  private skipPieces(at: number): number {
    let place = at;
    while (place < this.end) {
      const bytes = this.source.read(place, Math.min(piece, this.end - place));
      if (bytes.length === 0 || !isZero(bytes)) break;
      place += bytes.length;
    }
    return place;
  }

  /** Behind the last byte that is not zero; 0 where there is none. */
  behindLast(): number {
    if (this.last !== undefined) return this.last;
    let to = this.end;
    while (to > 0) {
      const from = Math.max(0, to - piece);
      const bytes = this.source.read(from, to - from);
      if (!isZero(bytes)) {
        to = from + bytes.findLastIndex((byte) => byte !== 0) + 1;
        break;
      }
      to = from;
    }
    this.last = to;
    return to;
  }
}

function isZero(bytes: Uint8Array): boolean {
  zeros ??= new Uint8Array(piece);
  return Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0;
}
