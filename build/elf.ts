/**
 * The parts of an ELF file that the build reads and changes: its header and its program headers, by
 * which the kernel and the dynamic loader go. elf(5), ELF64, little endian.
 */

const magic = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const headerSize = 0x40;
/** e_shoff, 8 bytes. */
const sectionOffset = { start: 0x28, end: 0x30 };
/** e_shentsize, e_shnum and e_shstrndx, 2 bytes each. */
const sectionCount = { start: 0x3a, end: 0x40 };
const field = { entry: 0x18, programHeaders: 0x20, size: 0x36, count: 0x38 } as const;

export const segmentType = {
  load: 1,
  dynamic: 2,
  interpreter: 3,
  note: 4,
  programHeaders: 6,
  tls: 7,
  /** PT_GNU_EH_FRAME */
  frames: 0x6474e550,
  /** PT_GNU_STACK: flags only. */
  stack: 0x6474e551,
} as const;

/** The largest page that a supported kernel has. */
export const pages = { x64: 0x1000, arm64: 0x10000 } as const;

/** PF_R | PF_X */
export const READ_EXECUTE = 5;

/** Bytes of one program header. */
export const programHeaderSize = 56;

/** One program header. Numbers below 2^53: these are files of some 100 MB at low addresses. */
export interface Segment {
  readonly type: number;
  readonly flags: number;
  readonly offset: number;
  readonly address: number;
  readonly inFile: number;
  readonly inMemory: number;
  readonly align: number;
}

/**
 * Takes the reference to the section table out of the ELF header, in place: a compiled binary is
 * then proof against `strip`.
 *
 * Bun finds the program through its `.bun` section's place in memory, but
 * `strip`, `objcopy` and `eu-strip` rewrite the file from its section table and
 * leave the program behind: what remains is the plain `bun` command. Without a
 * section table they refuse the file.
 *
 * @throws Error when `file` is not a little-endian 64-bit ELF file.
 */
export function dropSectionTable(file: Uint8Array): void {
  if (file.length < headerSize || magic.some((byte, i) => file[i] !== byte)) {
    throw new Error("the compiled binary is not a little-endian 64-bit ELF file");
  }
  file.fill(0, sectionOffset.start, sectionOffset.end);
  file.fill(0, sectionCount.start, sectionCount.end);
}

/** Where a program begins, an address. */
export function entryPoint(file: Uint8Array): bigint {
  return viewOf(file).getBigUint64(field.entry, true);
}

export function setEntryPoint(file: Uint8Array, address: bigint): void {
  viewOf(file).setBigUint64(field.entry, address, true);
}

/** Where the program headers stand, and how many there are. */
export function programHeaderTable(file: Uint8Array): { offset: number; count: number } {
  const view = viewOf(file);
  if (view.getUint16(field.size, true) !== programHeaderSize) {
    throw new Error("the program headers have another size than ELF64's");
  }
  return {
    offset: Number(view.getBigUint64(field.programHeaders, true)),
    count: view.getUint16(field.count, true),
  };
}

/** @throws RangeError when the table lies outside the file. */
export function readSegments(file: Uint8Array): Segment[] {
  const view = viewOf(file);
  const { offset, count } = programHeaderTable(file);
  const u64 = (at: number) => Number(view.getBigUint64(at, true));
  return Array.from({ length: count }, (_, i) => offset + i * programHeaderSize).map((at) => ({
    type: view.getUint32(at, true),
    flags: view.getUint32(at + 4, true),
    offset: u64(at + 8),
    address: u64(at + 16),
    inFile: u64(at + 32),
    inMemory: u64(at + 40),
    align: u64(at + 48),
  }));
}

/** Writes `segments` as the program headers, at `offset`, and says so in the ELF header. */
export function writeSegments(
  file: Uint8Array,
  offset: number,
  segments: readonly Segment[],
): void {
  const view = viewOf(file);
  view.setBigUint64(field.programHeaders, BigInt(offset), true);
  view.setUint16(field.count, segments.length, true);
  for (const [index, segment] of segments.entries()) {
    const at = offset + index * programHeaderSize;
    view.setUint32(at, segment.type, true);
    view.setUint32(at + 4, segment.flags, true);
    // Physical addresses are as good as virtual ones where no program runs by them.
    const { address, inFile, inMemory, align } = segment;
    for (const [i, value] of [
      segment.offset,
      address,
      address,
      inFile,
      inMemory,
      align,
    ].entries()) {
      view.setBigUint64(at + 8 + i * 8, BigInt(value), true);
    }
  }
}

/** The next number from `from` on that leaves the same remainder as `like`. */
export function congruent(from: number, like: number, modulus: number): number {
  return from + ((((like - from) % modulus) + modulus) % modulus);
}

export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}

function viewOf(file: Uint8Array): DataView {
  return new DataView(file.buffer, file.byteOffset, file.byteLength);
}
