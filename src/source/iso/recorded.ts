/**
 * What is read of an image is read once: every block that was used is kept, is what later reads give,
 * and has its place in the digest of the whole image. So the bytes that were used are those that are
 * verified, whatever the file has by then.
 */
import { cannot } from "../../errors.ts";
import { type ByteSource, isWithin } from "../../image/bytes.ts";
import { Memfd } from "../../linux/memfd.ts";
import type { Whole } from "../kind.ts";
import { type OpenFile, rangeOf } from "../open-file.ts";

const blockSize = 2048;
/** Bytes that are kept: directories (see IsoTree), menus, the beginnings of archives. */
const mostBytes = 24 << 20;

export class RecordedBlocks implements ByteSource {
  private readonly blocks = new Map<number, Uint8Array>();

  constructor(private readonly file: OpenFile) {}

  get size(): number {
    return this.file.size;
  }

  /** @throws KexecError `malformed-input` where more is read than an image has menus for; RangeError */
  read(offset: number, length: number): Uint8Array {
    if (!isWithin(this.size, offset, length)) {
      throw new RangeError(`bytes ${offset}+${length} are outside of an image of ${this.size}`);
    }
    const bytes = new Uint8Array(length);
    const first = Math.floor(offset / blockSize);
    const end = Math.ceil((offset + length) / blockSize);
    this.take(first, end);
    for (let index = first; index < end; index++) {
      const block = this.blocks.get(index) ?? new Uint8Array();
      const start = index * blockSize;
      const from = Math.max(offset, start);
      const to = Math.min(offset + length, start + block.length);
      bytes.set(block.subarray(from - start, to - start), from - offset);
    }
    return bytes;
  }

  /** Reads the blocks [first, end) that were not read yet, those beside each other at once. */
  private take(first: number, end: number): void {
    for (let at = first; at < end; ) {
      if (this.blocks.has(at)) {
        at++;
        continue;
      }
      let until = at + 1;
      while (until < end && !this.blocks.has(until)) until++;
      if ((this.blocks.size + until - at) * blockSize > mostBytes) {
        throw cannot(`read the ISO image ${this.file.path}`, {
          code: "malformed-input",
          details: { path: this.file.path },
          why: `its directories and menus have more than ${mostBytes >> 20} MiB`,
        });
      }
      const start = at * blockSize;
      const bytes = this.file.read(start, Math.min(until * blockSize, this.size) - start);
      for (let index = at; index < until; index++) {
        this.blocks.set(
          index,
          bytes.subarray((index - at) * blockSize, (index - at + 1) * blockSize),
        );
      }
      at = until;
    }
  }

  /** The blocks with their places, in a file in memory that `held` closes. */
  copies(held: DisposableStack): Whole["copies"] {
    const memfd = held.use(Memfd.create("read of the image", this.file.path));
    const places = [...this.blocks.keys()].toSorted((one, other) => one - other);
    const runs: { offset: number; start: number; length: number }[] = [];
    for (const index of places) {
      const block = this.blocks.get(index) ?? new Uint8Array();
      const last = runs.at(-1);
      if (last !== undefined && last.offset + last.length === index * blockSize) {
        last.length += block.length;
      } else {
        runs.push({ offset: index * blockSize, start: memfd.size, length: block.length });
      }
      memfd.append(block);
    }
    memfd.seal();
    return runs.map(({ offset, start, length }) => ({
      offset,
      bytes: rangeOf(memfd, start, length, this.file.path),
    }));
  }
}
