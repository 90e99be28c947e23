/**
 * What the dynamic loader would need for an ELF file, read from its program
 * headers alone: the built binaries have no section table.
 */

import { readSegments, segmentType } from "../../build/elf.ts";

/** elf(5), little endian, 64 bit. */
const segment = { load: 1, dynamic: 2, interpreter: 3 };
const tag = {
  needed: 1,
  stringTable: 5,
  versionsNeeded: 0x6ffffffe,
  versionsNeededCount: 0x6fffffff,
};

export interface ElfNeeds {
  /** e_machine: 62 x86-64, 183 AArch64. */
  readonly machine: number;
  readonly sections: number;
  readonly interpreter: string;
  readonly libraries: readonly string[];
  /** Symbol versions, for example `GLIBC_2.17`, each once. */
  readonly versions: readonly string[];
}

/** @throws RangeError when an offset lies outside the file. */
export function readElfNeeds(file: Buffer): ElfNeeds {
  const u16 = (at: number) => file.readUInt16LE(at);
  const u32 = (at: number) => file.readUInt32LE(at);
  const u64 = (at: number) => Number(file.readBigUInt64LE(at));
  const text = (at: number) => file.toString("latin1", at, file.indexOf(0, at));

  const headers = Array.from({ length: u16(0x38) }, (_, i) => u64(0x20) + i * u16(0x36)).map(
    (at) => ({ type: u32(at), offset: u64(at + 8), address: u64(at + 16), size: u64(at + 32) }),
  );
  const offsetOf = (address: number) => {
    const home = headers.find(
      (one) =>
        one.type === segment.load && address >= one.address && address < one.address + one.size,
    );
    if (home === undefined) throw new RangeError(`address ${address} is in no segment`);
    return home.offset + address - home.address;
  };
  const only = (type: number) => {
    const found = headers.find((one) => one.type === type);
    if (found === undefined) throw new RangeError(`no program header of type ${type}`);
    return found;
  };

  const { offset, size } = only(segment.dynamic);
  const dynamic = Array.from({ length: size / 16 }, (_, i) => offset + i * 16).map((at) => ({
    tag: u64(at),
    value: u64(at + 8),
  }));
  const dynamicValue = (wanted: number) => dynamic.find((one) => one.tag === wanted)?.value;
  const strings = offsetOf(dynamicValue(tag.stringTable) ?? -1);

  const versions = new Set<string>();
  const firstVersion = dynamicValue(tag.versionsNeeded);
  if (firstVersion !== undefined) {
    // Elf64_Verneed: vn_cnt at 2, vn_aux at 8, vn_next at 12; Elf64_Vernaux: vna_name at 8, vna_next at 12
    let need = offsetOf(firstVersion);
    for (let n = dynamicValue(tag.versionsNeededCount) ?? 0; n > 0; n--) {
      let aux = need + u32(need + 8);
      for (let m = u16(need + 2); m > 0; m--) {
        versions.add(text(strings + u32(aux + 8)));
        aux += u32(aux + 12);
      }
      need += u32(need + 12);
    }
  }
  return {
    machine: u16(0x12),
    sections: u64(0x28) + u16(0x3c),
    interpreter: text(only(segment.interpreter).offset),
    libraries: dynamic
      .filter((one) => one.tag === tag.needed)
      .map((one) => text(strings + one.value)),
    versions: [...versions],
  };
}

/** What a program finds at `length` bytes from `address` on: the file's bytes, and zeros elsewhere. */
export function memoryOf(
  file: Buffer,
  address: number,
  length: number,
): { bytes: Buffer; mapped: readonly (readonly [from: number, to: number])[] } {
  const bytes = Buffer.alloc(length);
  const mapped: [number, number][] = [];
  for (const one of readSegments(file).filter(({ type }) => type === segmentType.load)) {
    const from = Math.max(address, one.address);
    const to = Math.min(address + length, one.address + one.inMemory);
    if (from >= to) continue;
    mapped.push([from - address, to - address]);
    const stop = Math.min(to, one.address + one.inFile) - one.address + one.offset;
    bytes.set(file.subarray(from - one.address + one.offset, stop), from - address);
  }
  return { bytes, mapped };
}

/** Where the byte at `offset` of the file is in memory. */
export function addressOf(file: Buffer, offset: number): number {
  const home = readSegments(file).find(
    (one) =>
      one.type === segmentType.load && offset >= one.offset && offset < one.offset + one.inFile,
  );
  if (home === undefined) throw new RangeError(`offset ${offset} is in no segment`);
  return home.address + offset - home.offset;
}
