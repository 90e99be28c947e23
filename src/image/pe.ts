/**
 * PE files: headers and section table. Layout: Microsoft's PE format
 * specification and include/linux/pe.h.
 */

import {
  type ByteSource,
  broken,
  type Fields,
  fieldsOf,
  hasMagic,
  head,
  type ImageProblem,
  isWithin,
  magicOf,
  readWithin,
} from "./bytes.ts";

export interface PeSection {
  /** Up to 8 characters of printable ASCII; `?` stands for any other byte, so that no name hides one. */
  readonly name: string;
  readonly virtualAddress: number;
  /** Bytes in memory; what lies past it in the file is padding. */
  readonly virtualSize: number;
  /** The section's bytes as a range of the file, inside it and overlapping no other. */
  readonly offset: number;
  readonly size: number;
}

export type PeMachine = "x86_64" | "aarch64" | "i386" | "arm" | "riscv64" | "loongarch64";

export interface PeImage {
  readonly kind: "pe";
  /** IMAGE_FILE_MACHINE_* as the file gives it. */
  readonly machineNumber: number;
  readonly machine: PeMachine | undefined;
  /** Whether the optional header is PE32+, for 64-bit programs. */
  readonly plus: boolean;
  /** SizeOfHeaders: where headers end and sections may begin. */
  readonly headerSize: number;
  readonly checksumOffset: number;
  /** Where the data directory's entry of the certificate table is; undefined without one. */
  readonly certificateEntryOffset: number | undefined;
  /** The certificate table as announced. It need not lie inside the file. */
  readonly certificateTable: { readonly offset: number; readonly size: number } | undefined;
  /** In the order of the file's table. */
  readonly sections: readonly PeSection[];
  readonly fileSize: number;
}

const format = "PE file";
const dosHeaderSize = 64;
const coffHeaderSize = 24;
const sectionHeaderSize = 40;
/** Linkers make some twenty; section tables are read before anybody knows who signed the file. */
const mostSections = 1024;
const certificateEntry = 4;
const dosMagic = magicOf("MZ");
const peMagic = [...magicOf("PE"), 0, 0];

const machines = new Map<number, PeMachine>([
  [0x014c, "i386"],
  [0x8664, "x86_64"],
  [0x01c2, "arm"],
  [0x01c4, "arm"],
  [0xaa64, "aarch64"],
  [0x5064, "riscv64"],
  [0x6264, "loongarch64"],
]);

// Size of the optional header up to the data directories, by its magic.
const optionalHeaders = new Map([
  [0x010b, { plus: false, size: 96 }],
  [0x020b, { plus: true, size: 112 }],
]);

/** Facts of a PE file; undefined when it has no PE signature inside. */
export function readPe(source: ByteSource): PeImage | ImageProblem | undefined {
  const dos = head(source, dosHeaderSize);
  if (dos.length < dosHeaderSize || !hasMagic(dos, 0, dosMagic)) return undefined;
  const peOffset = fieldsOf(dos).u32(0x3c);
  const signature = readWithin(source, peOffset, peMagic.length);
  if (signature === undefined || !hasMagic(signature, 0, peMagic)) return undefined;

  const coffBytes = readWithin(source, peOffset, coffHeaderSize + 2);
  if (coffBytes === undefined) return truncated("the file ends inside the COFF header");
  const coff = fieldsOf(coffBytes);
  const machineNumber = coff.u16(4);
  const sectionCount = coff.u16(6);
  const optionalSize = coff.u16(20);
  const kind = optionalHeaders.get(coff.u16(coffHeaderSize));
  if (kind === undefined) return malformed("its optional header is neither PE32 nor PE32+");

  const optionalOffset = peOffset + coffHeaderSize;
  const optionalBytes = readWithin(source, optionalOffset, optionalSize);
  if (optionalBytes === undefined) return truncated("the file ends inside the optional header");
  if (optionalSize < kind.size) return malformed("its optional header is too short");
  const optional = fieldsOf(optionalBytes);
  const directories = optional.u32(kind.size - 4);
  // Firmware demands the same: MdePkg/Library/BasePeCoffLib of EDK2.
  if (directories * 8 !== optionalSize - kind.size) {
    return malformed("its optional header is not as long as its data directories");
  }

  const headerSize = optional.u32(60);
  const tableOffset = optionalOffset + optionalSize;
  const tableSize = sectionCount * sectionHeaderSize;
  if (tableOffset + tableSize > headerSize) {
    return malformed("its section table does not end inside the headers");
  }
  if (sectionCount > mostSections) {
    return malformed(`it has more than ${mostSections} sections`);
  }
  // pefile_parse_binary, crypto/asymmetric_keys/verify_pefile.c: more than headers.
  if (headerSize >= source.size) return truncated("the file ends inside the headers");
  const sections = readSections(fieldsOf(source.read(tableOffset, tableSize)), sectionCount);
  const fault = sectionFault(sections, headerSize, source.size);
  if (fault !== undefined) return fault;

  const hasEntry = directories > certificateEntry;
  const entryOffset = kind.size + certificateEntry * 8;
  const table = hasEntry
    ? { offset: optional.u32(entryOffset), size: optional.u32(entryOffset + 4) }
    : undefined;
  return {
    kind: "pe",
    machineNumber,
    machine: machines.get(machineNumber),
    plus: kind.plus,
    headerSize,
    checksumOffset: optionalOffset + 64,
    certificateEntryOffset: hasEntry ? optionalOffset + entryOffset : undefined,
    certificateTable: table && table.offset !== 0 && table.size !== 0 ? table : undefined,
    sections,
    fileSize: source.size,
  };
}

function readSections(table: Fields, count: number): readonly PeSection[] {
  return Array.from({ length: count }, (_, index) => {
    const at = index * sectionHeaderSize;
    return {
      name: sectionName(table, at),
      virtualSize: table.u32(at + 8),
      virtualAddress: table.u32(at + 12),
      size: table.u32(at + 16),
      offset: table.u32(at + 20),
    };
  });
}

function sectionName(table: Fields, at: number): string {
  let name = "";
  for (let index = 0; index < 8; index++) {
    const byte = table.u8(at + index);
    if (byte === 0) break;
    name += byte >= 0x20 && byte <= 0x7e ? String.fromCharCode(byte) : "?";
  }
  return name;
}

function sectionFault(
  sections: readonly PeSection[],
  headerSize: number,
  fileSize: number,
): ImageProblem | undefined {
  let end = headerSize;
  for (const section of inFileOrder(sections)) {
    if (section.offset < headerSize) return malformed("a section starts inside the headers");
    if (section.offset < end) return malformed("two sections overlap");
    if (!isWithin(fileSize, section.offset, section.size)) {
      return truncated("a section does not end inside the file");
    }
    end = section.offset + section.size;
  }
  return undefined;
}

/** The sections that have bytes in the file, by where these are. */
export function inFileOrder(sections: readonly PeSection[]): readonly PeSection[] {
  return sections.filter((section) => section.size > 0).sort((a, b) => a.offset - b.offset);
}

function malformed(problem: string): ImageProblem {
  return broken(format, "malformed-input", problem);
}

function truncated(problem: string): ImageProblem {
  return broken(format, "kernel-truncated", problem);
}
