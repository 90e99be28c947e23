/** The blocks of a zstd frame: RFC 8878, 3.1.1. */
import { fieldsOf } from "../image/bytes.ts";
import type { Walked } from "./walked.ts";
import type { Window } from "./window.ts";

const magic = 0xfd2fb528;
/** 0x184D2A50 to 0x184D2A5F: 3.1.2. */
const skippable = 0x184d2a5;
const blockHeader = 3;
/** Block_Maximum_Size: 3.1.1.2.4. */
const longestBlock = 128 << 10;
/** Block_Type, by its number: 3.1.1.2.2. */
const rle = 1;
const reserved = 3;

/** Walks over the frame at `start`; a skippable one in front of it belongs to it. */
export function walkZstd(window: Window, start: number): Walked {
  let at = start;
  const cut = (place: number, inside: string): Walked => ({
    kind: "cut",
    at: place,
    why: `ends inside ${inside} of its zstd archive`,
  });
  for (;;) {
    const bytes = window.read(at, 8);
    if (bytes.length < 8) return cut(at, "a header");
    const header = fieldsOf(bytes);
    if (header.u32(0) === magic) break;
    if (header.u32(0) >>> 4 !== skippable) {
      return { kind: "junk", at, why: "has something that is no frame of its zstd archive" };
    }
    const size = header.u32(4);
    if (size > window.end - at - 8) return cut(at, "a skippable frame");
    at += 8 + size;
  }
  const descriptor = window.read(at + 4, 1)[0] ?? 0;
  const single = (descriptor & 0x20) !== 0;
  const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >> 6] ?? 0;
  const dictionary = [0, 1, 2, 4][descriptor & 3] ?? 0;
  const checksum = (descriptor & 0x04) === 0 ? 0 : 4;
  at += 5 + (single ? 0 : 1) + dictionary + contentSize;
  for (let blocks = 1; ; blocks++) {
    const bytes = window.read(at, blockHeader);
    if (bytes.length < blockHeader) return cut(at, "a block's header");
    const [low = 0, middle = 0, high = 0] = bytes;
    const header = low | (middle << 8) | (high << 16);
    const type = (header >> 1) & 3;
    const size = header >> 3;
    if (type === reserved || size > longestBlock) {
      return { kind: "broken", at, why: "has a block that zstd does not know" };
    }
    const length = blockHeader + (type === rle ? 1 : size);
    if (length > window.end - at) return cut(at, "a block");
    at += length;
    if ((header & 1) === 0) continue;
    return checksum > window.end - at
      ? cut(at, "the checksum")
      : { end: at + checksum, unpacked: blocks * longestBlock };
  }
}
