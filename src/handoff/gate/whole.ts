/**
 * The signed bytes of a large file of which parts were copied before it was verified: the copies stand
 * in their places, so that what was used is what is digested. The file itself is read once.
 */
import { requireMemory } from "../../diagnosis/memory-need.ts";
import { cannot } from "../../errors.ts";
import { readPieces } from "../../image/bytes.ts";
import { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import { readMemory } from "../../machine/kernel.ts";
import type { Whole } from "../../source/kind.ts";
import { appendRange, type OpenFile } from "../../source/open-file.ts";
import type { Signed } from "../../trust/verify.ts";

type Copy = Whole["copies"][number];

/**
 * Gives `use` what a detached signature of the whole file is over.
 * @throws KexecError `file-changed`: the file is no longer what was copied from it; `out-of-memory`
 */
export async function withSignedWhole<T>(
  whole: Whole,
  covers: "message" | "blake2b-512",
  listener: Listener,
  use: (signed: Signed) => Promise<T>,
): Promise<T> {
  const { file } = whole;
  const copies = whole.copies.toSorted((one, other) => one.offset - other.offset);
  requireAgreement(copies, file.path);
  if (covers === "blake2b-512") {
    const hasher = new Bun.CryptoHasher("blake2b512");
    for (const { from, offset, length } of segments(copies, file)) {
      readPieces(from, offset, offset + length, (bytes, at) => {
        hasher.update(bytes);
        if (from !== file) return;
        listener.progress?.(`verifying ${file.path}`, at + bytes.length, file.size, "verify");
      });
    }
    return use({ digest: hasher.digest() });
  }
  // Such a signature is over the bytes themselves, all at once.
  requireMemory({ kernel: 0, initrd: 0, copied: file.size }, readMemory());
  using message = Memfd.create("signed", file.path);
  for (const { from, offset, length } of segments(copies, file)) {
    appendRange(message, from, offset, length);
    listener.progress?.(`reading ${file.path}`, message.size, file.size, "verify");
  }
  message.seal();
  using window = message.window(0, message.size);
  return await use({ message: window.bytes });
}

interface Segment {
  readonly from: OpenFile;
  readonly offset: number;
  readonly length: number;
}

/** The whole file in its order: copies where there are any, the file itself between them. */
function* segments(copies: readonly Copy[], file: OpenFile): Generator<Segment> {
  let at = 0;
  for (const { offset, bytes } of copies) {
    const end = offset + bytes.size;
    if (offset > at) yield { from: file, offset: at, length: offset - at };
    const start = Math.max(at, offset);
    if (end > start) yield { from: bytes, offset: start - offset, length: end - start };
    at = Math.max(at, end);
  }
  if (file.size > at) yield { from: file, offset: at, length: file.size - at };
}

/** Of what was copied twice, both copies were used, and one alone is digested. */
function requireAgreement(copies: readonly Copy[], path: string): void {
  let open: Copy[] = [];
  for (const copy of copies) {
    open = open.filter(({ offset, bytes }) => offset + bytes.size > copy.offset);
    for (const other of open) {
      const length = Math.min(other.offset + other.bytes.size - copy.offset, copy.bytes.size);
      if (!agree(copy, other, length)) {
        throw cannot(`trust ${path}`, {
          code: "file-changed",
          details: { path },
          why: "it changed while it was read",
          hint: "wait until whatever writes it has finished",
        });
      }
    }
    open.push(copy);
  }
}

/** Bytes of either that are compared at once. */
const STEP = 1 << 20;

/** The first `length` bytes of `copy` and those of `other` at the same place. */
function agree(copy: Copy, other: Copy, length: number): boolean {
  for (let at = 0; at < length; at += STEP) {
    const step = Math.min(STEP, length - at);
    const start = copy.offset - other.offset + at;
    const mine = copy.bytes.read(at, step);
    if (Buffer.compare(mine, other.bytes.read(start, step)) !== 0) return false;
  }
  return true;
}
