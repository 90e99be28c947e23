/** Reading a few bytes here and there of a source, in few reads where they lie close together. */
import type { ByteSource } from "../image/bytes.ts";

const shortest = 256;
const longest = 64 << 10;

/** The last bytes that were read of a source, and more of them the closer the next ones lie. */
export class Window {
  private start = 0;
  private bytes: Uint8Array = new Uint8Array();
  private length = shortest;

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
}
