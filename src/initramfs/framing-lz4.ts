/** The blocks of an lz4 legacy archive: lib/decompress_unlz4.c, lz4_Frame_format.md. */
import { fieldsOf } from "../image/bytes.ts";
import type { Walked } from "./walked.ts";
import type { Window } from "./window.ts";

const magic = 0x184c2102;
/** LZ4_DEFAULT_UNCOMPRESSED_CHUNK_SIZE of the kernel, and what so much may become (LZ4_compressBound). */
const chunk = 8 << 20;
const longestBlock = chunk + Math.floor(chunk / 255) + 16;

/**
 * Walks from the magic at `start` over blocks, each behind its size, to a size of 0 or the end. A cut at
 * the edge of a block does not show: the format has no end mark.
 */
export function walkLz4(window: Window, start: number): Walked {
  const { end } = window;
  let unpacked = 0;
  for (let at = start + 4; ; ) {
    if (at === end) return { end, unpacked };
    const bytes = window.read(at, 4);
    // unlz4 leaves what is shorter than a size alone.
    if (bytes.length < 4) {
      return bytes.every((byte) => byte === 0)
        ? { end, unpacked }
        : { kind: "cut", at, why: "ends inside the size of an lz4 block" };
    }
    const size = fieldsOf(bytes).u32(0);
    if (size === 0) return { end: at, unpacked };
    if (size === magic) {
      at += 4;
      continue;
    }
    if (size > longestBlock) {
      return { kind: "junk", at, why: "has something that is no block of its lz4 archive" };
    }
    if (size > end - at - 4) {
      const needed = size - (end - at - 4);
      return { kind: "cut", at, why: `ends ${needed} bytes before the end of an lz4 block` };
    }
    at += 4 + size;
    unpacked += chunk;
  }
}
