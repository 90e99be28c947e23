/**
 * How initramfs archives lie one behind the other in the one buffer that the
 * kernel unpacks. A plan only: nobody's bytes are touched here.
 *
 * - The first archive stays first: microcode and ACPI tables are looked for in
 *   the leading plain part (lib/earlycpio.c).
 * - Between two archives stand at least four zeros, up to the next multiple of
 *   the alignment. A plain archive is found at multiples of four only, and what
 *   follows one must be aligned too (init/initramfs.c: unpack_to_rootfs,
 *   do_reset). An lz4 legacy archive ends at a block size of 0, four bytes
 *   (lib/decompress_unlz4.c). Zeros between archives are skipped.
 * - Injected archives come after all others: later entries win.
 * - A bootconfig is found at the very end of the buffer, and text in its middle
 *   stops the kernel. So it moves to the end, from whichever archive has it.
 *   There can be only one: two are refused, as none may be dropped in silence.
 */
import { cannot } from "../errors.ts";

/** An archive to be joined; sizes and offsets in bytes. */
export interface Piece {
  readonly size: number;
  /** The bootconfig at its end, as `readBootconfig` found it. */
  readonly bootconfig?: { readonly offset: number; readonly length: number } | undefined;
}

/** What to copy to `at` in the joined buffer: `length` bytes from `offset` of the source. */
export type Segment = { readonly at: number; readonly length: number } & (
  | { readonly from: "piece"; readonly piece: number; readonly offset: number }
  | { readonly from: "bootconfig"; readonly piece: number; readonly offset: number }
  | { readonly from: "injected"; readonly injected: number; readonly offset: number }
  | { readonly from: "zeros" }
);

export type JoinPlan =
  /** The one piece is the initramfs as it is: no copy. */
  | { readonly passThrough: true; readonly size: number }
  /** Segments in order, without gap or overlap; none of them is empty. No pieces: no segments. */
  | { readonly passThrough: false; readonly size: number; readonly segments: readonly Segment[] };

/** Zeros that suffice to end an lz4 legacy archive. */
const minZeros = 4;

/**
 * Lays out the pieces and then the injected archives.
 * @param injected Sizes in bytes of the archives to add, in order.
 * @param alignment Where archives start: 4 serves the kernel, 512 tools that read blocks.
 * @throws KexecError `malformed-input`: more than one bootconfig; `file-empty`: an empty archive.
 */
export function planJoin(
  pieces: readonly Piece[],
  injected: readonly number[] = [],
  alignment: 4 | 512 = 4,
): JoinPlan {
  for (const { size } of pieces) checkSize(size);
  for (const size of injected) checkSize(size);
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1 && injected.length === 0) {
    return { passThrough: true, size: only.size };
  }

  const segments: Segment[] = [];
  let end = 0;
  const zerosTo = (at: number) => {
    if (at > end) segments.push({ from: "zeros", at: end, length: at - end });
    end = at;
  };
  const nextStart = () => (end === 0 ? 0 : roundUp(end + minZeros, alignment));

  for (const [piece, { size, bootconfig }] of pieces.entries()) {
    const length = bootconfig?.offset ?? size;
    if (length === 0) continue;
    zerosTo(nextStart());
    segments.push({ from: "piece", piece, offset: 0, length, at: end });
    end += length;
  }
  for (const [index, length] of injected.entries()) {
    zerosTo(nextStart());
    segments.push({ from: "injected", injected: index, offset: 0, length, at: end });
    end += length;
  }
  const trailer = onlyBootconfig(pieces);
  if (trailer !== undefined) {
    const { piece, offset, length } = trailer;
    // Its size fields aligned and nothing behind the magic, as tools/bootconfig leaves it.
    const total = roundUp((end === 0 ? 0 : end + minZeros) + length, 4);
    zerosTo(total - length);
    segments.push({ from: "bootconfig", piece, offset, length, at: end });
    end += length;
  }
  return { passThrough: false, size: end, segments };
}

function onlyBootconfig(pieces: readonly Piece[]) {
  const found = pieces.flatMap(({ size, bootconfig }, piece) => {
    if (bootconfig === undefined) return [];
    const { offset, length } = bootconfig;
    if (!(offset >= 0 && length > 0 && offset + length <= size)) {
      throw new RangeError(`bootconfig of ${length} bytes at ${offset} of ${size}`);
    }
    return [{ piece, offset, length }];
  });
  if (found.length > 1) {
    throw cannot("join the initramfs archives", {
      code: "malformed-input",
      why: `${found.length} of them end in a bootconfig`,
      hint: "the kernel reads one only: take the others off with `bootconfig -d FILE`",
    });
  }
  return found[0];
}

function checkSize(size: number): void {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError(`archive of ${size} bytes`);
  if (size === 0) {
    throw cannot("join the initramfs archives", { code: "file-empty", why: "one is empty" });
  }
}

function roundUp(value: number, multiple: number): number {
  return Math.ceil(value / multiple) * multiple;
}
