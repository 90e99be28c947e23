/**
 * Takes out of a finished binary what it does not need: ICU's languages, modules of the runtime that
 * nothing asks for (build/builtins.ts), what is for a bundler (build/frames.ts), zeros, and bytecode of what is seldom run (build/payload.ts).
 *
 * Nothing moves in memory: code and data refer to each other by addresses, and every byte that
 * stays keeps its own. What goes is room in the file. Where such things were, no page is mapped:
 * a stray read faults, it does not go on with other bytes. The zeros are those that the runtime's
 * writable segment begins with (.bss), which the compiler of the binary has written out.
 *
 * So one segment becomes several, twice. The program headers grow by as many and move behind ICU's
 * archive, within the first segment: older kernels tell a program where its headers are by the first
 * segment's address and the offset in the file (fs/binfmt_elf.c, create_elf_tables).
 */

import { forgetBuiltins, type Stretch } from "./builtins.ts";
import {
  congruent,
  pages,
  programHeaderSize,
  programHeaderTable,
  readSegments,
  roundUp,
  type Segment,
  segmentType,
  writeSegments,
} from "./elf.ts";
import { findUnusedFrames } from "./frames.ts";
import { type Reduction, reduceIcu } from "./icu.ts";
import { programText, withoutFarBytecode } from "./payload.ts";
import type { Target } from "./targets.ts";

/** In bytes: each hole takes a program header, and a mapping of every start. */
const leastBuiltinHole = 0x8000;
const leastFrameHole = 0x2000;

/** How many items ICU has and how many stay. Another count is another ICU: look at it anew. */
export const icuItems = { all: 3990, kept: 91 } as const;

/** The runtime's own writable data, the offset of the program behind it, and that. */
interface Program {
  readonly inFile: number;
  readonly inMemory: number;
  readonly offset: number;
  readonly bytes: Uint8Array;
}

/** Bytes of the file that go to an address. */
interface Part {
  readonly segment: Segment;
  readonly bytes: Uint8Array;
}

/**
 * The file without them.
 *
 * @param file The finished binary: nothing may be patched afterwards.
 * @param runtime What it was compiled from.
 * @throws Error where the binary is not laid out as expected: then there is none.
 */
export function cutUnused(
  file: Uint8Array,
  runtime: Uint8Array,
  architecture: Target["architecture"],
): Uint8Array {
  const page = pages[architecture];
  const segments = readSegments(file);
  const loads = segments.filter(({ type }) => type === segmentType.load);
  const [first, , writable] = loads;
  if (first === undefined || writable === undefined || first.offset !== 0) {
    throw new Error("the compiled binary has not the segments that it should have");
  }
  if (loads.some(({ address }, i) => address <= (loads[i - 1]?.address ?? -1))) {
    throw new Error("the compiled binary's segments are not in order");
  }
  const bytesOf = ({ offset, inFile }: Segment) => file.subarray(offset, offset + inFile);
  const icu = reduceIcu(file);
  if (icu.end > first.inFile) {
    throw new Error("there is no room for a hole where ICU's languages are");
  }
  const program = payloadOf(writable, bytesOf(writable), runtime, page);
  // A copy, because the table of the runtime's modules is changed
  const readOnly = Buffer.from(bytesOf(first));
  const unasked = forgetBuiltins(readOnly, programText(program.bytes));
  const data = withoutZeros(writable, bytesOf(writable), program, page);
  const holes = [
    ...largeHoles(unasked, page, leastBuiltinHole),
    ...largeHoles(findUnusedFrames(readOnly), page, leastFrameHole),
  ].sort((a, b) => a.from - b.from);
  // ICU's languages become a hole too, and each hole makes one segment more.
  const headers = segments.length + data.length + holes.length;
  const parts: Part[] = loads.flatMap((segment): Part[] => {
    const bytes = bytesOf(segment);
    if (segment === first) return withoutLanguages(icu, segment, readOnly, holes, page, headers);
    if (segment === writable) return data;
    return [{ segment, bytes }];
  });
  return assemble(segments, parts, first.address, headers);
}

/** The first segment up to the end of the reduced ICU, and from the end of the old one, with holes there. */
function withoutLanguages(
  { start, end, archive, items, kept }: Reduction,
  segment: Segment,
  bytes: Uint8Array,
  holes: readonly Stretch[],
  page: number,
  headers: number,
): Part[] {
  if (items !== icuItems.all || kept.length !== icuItems.kept) {
    throw new Error(
      `ICU has ${items} items of which ${kept.length} would stay, not ${icuItems.all} and ${icuItems.kept}: look at it anew`,
    );
  }
  const table = roundUp(start + archive.length, 8);
  const stop = table + headers * programHeaderSize;
  const goesOn = Math.floor(end / page) * page;
  if (roundUp(stop, page) >= goesOn || holes.some(({ from }) => from <= goesOn)) {
    throw new Error("there is no room for a hole where ICU's languages are");
  }
  const old = programHeaderTable(bytes);
  const head = new Uint8Array(stop);
  head.set(bytes.subarray(0, start));
  head.set(archive, start);
  head.fill(0, old.offset, old.offset + old.count * programHeaderSize);
  return [
    { segment: { ...segment, inFile: stop, inMemory: stop, align: page }, bytes: head },
    ...pieces(segment, bytes, goesOn, holes, page),
  ];
}

/** The program that stands in the writable segment, behind the runtime's zeros. */
function payloadOf(
  segment: Segment,
  bytes: Uint8Array,
  runtime: Uint8Array,
  page: number,
): Program {
  const data = readSegments(runtime).filter(({ type }) => type === segmentType.load)[2];
  if (data === undefined || data.address !== segment.address || data.inFile >= data.inMemory) {
    throw new Error("the runtime's writable segment is not the compiled binary's");
  }
  const offset = roundUp(data.address + data.inMemory, page) - data.address;
  if (offset >= bytes.length) throw new Error("the compiled binary has no program in it");
  if (bytes.subarray(data.inFile, offset).some((byte) => byte !== 0)) {
    throw new Error("the compiled binary has something where the runtime has zeros");
  }
  const { inFile, inMemory } = data;
  return { inFile, inMemory, offset, bytes: bytes.subarray(offset) };
}

/** The writable segment as the runtime has it, and the program behind it, without bytecode that goes. */
function withoutZeros(segment: Segment, bytes: Uint8Array, program: Program, page: number): Part[] {
  const { inFile, inMemory, offset } = program;
  const behind = { ...segment, address: segment.address + offset };
  return [
    {
      segment: { ...segment, inFile, inMemory, align: page },
      bytes: bytes.subarray(0, inFile),
    },
    ...pieces(behind, withoutFarBytecode(program.bytes), 0, [], page),
  ];
}

/** Whole pages of them, where that is worth it. */
function largeHoles(stretches: readonly Stretch[], page: number, least: number): Stretch[] {
  return stretches
    .map(({ from, to }) => ({ from: roundUp(from, page), to: Math.floor(to / page) * page }))
    .filter(({ from, to }) => to - from >= least);
}

/** What stays of a segment's bytes from `from` on. */
function pieces(
  segment: Segment,
  bytes: Uint8Array,
  from: number,
  holes: readonly Stretch[],
  page: number,
): Part[] {
  const begins = [from, ...holes.map(({ to }) => to)];
  const ends = [...holes.map((hole) => hole.from), bytes.length];
  return begins.flatMap((begin, i): Part[] => {
    const kept = bytes.subarray(begin, ends[i]);
    const size = { inFile: kept.length, inMemory: kept.length, align: page };
    if (kept.length === 0) return [];
    return [{ segment: { ...segment, address: segment.address + begin, ...size }, bytes: kept }];
  });
}

/** Lays the parts out one after another and writes the headers, at the end of the first part. */
function assemble(
  segments: readonly Segment[],
  parts: readonly Part[],
  base: number,
  count: number,
): Uint8Array {
  let end = 0;
  const placed = parts.map(({ segment, bytes }) => {
    // The kernel maps whole pages: offset and address are at the same place within theirs.
    const offset = congruent(end, segment.address, segment.align);
    end = offset + bytes.length;
    return { segment: { ...segment, offset }, bytes };
  });
  const home = (segment: Segment): Segment => {
    const { address, inFile } = segment;
    const found = placed.find(
      (one) =>
        address >= one.segment.address &&
        address + inFile <= one.segment.address + one.bytes.length,
    );
    if (found === undefined) throw new Error("a program header names what the cut takes out");
    return { ...segment, offset: found.segment.offset + address - found.segment.address };
  };

  const result = new Uint8Array(end);
  for (const { segment, bytes } of placed) result.set(bytes, segment.offset);
  const size = count * programHeaderSize;
  const table = (parts[0]?.bytes.length ?? 0) - size;
  let loads = false;
  const headers = segments.flatMap((segment): Segment[] => {
    switch (segment.type) {
      case segmentType.load: {
        // All of them at the place of the first, in the order of their addresses
        const now = loads ? [] : placed.map((one) => one.segment);
        loads = true;
        return now;
      }
      case segmentType.programHeaders:
        return [{ ...segment, offset: table, address: base + table, inFile: size, inMemory: size }];
      case segmentType.stack:
        return [segment];
      case segmentType.interpreter:
      case segmentType.dynamic:
      case segmentType.tls:
      case segmentType.frames:
        return [home(segment)];
      default:
        throw new Error(`the compiled binary has a program header of type ${segment.type}`);
    }
  });
  if (headers.length !== count) {
    throw new Error("the compiled binary has not the segments that it should have");
  }
  writeSegments(result, table, headers);
  return result;
}
