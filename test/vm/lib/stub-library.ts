/** ELF libraries for guests that have names and next to nothing behind them: System V ABI, chapters 4 and 5. */
import type { Arch } from "./host.ts";

/** What is behind a name: a function that returns a number from -1 to 65535, or eight bytes of zero. */
export type Stub = number | "zeros";

const headerSize = 64;
const programHeaderSize = 56;
const symbolSize = 24;
const stubSize = 8;
/** The largest page of either architecture's kernels. */
const alignment = 0x10000;

/** The bytes of the library. All of it is one segment, to read and to execute. */
export function stubLibrary(arch: Arch, stubs: Readonly<Record<string, Stub>>): Uint8Array {
  const names = Object.keys(stubs);
  const text = new TextEncoder().encode(`\0${names.map((name) => `${name}\0`).join("")}`);
  const symbols = headerSize + 2 * programHeaderSize;
  const dynamic = symbols + symbolSize * (names.length + 1);
  const code = dynamic + 16 * 6;
  const hash = code + stubSize * names.length;
  const strings = hash + 4 * (names.length + 4);
  const size = strings + text.length;
  const file = new Uint8Array(size);
  const view = new DataView(file.buffer);
  const word = (at: number, value: number) => view.setUint32(at, value, true);
  const long = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);

  // 64-bit, little-endian, version 1; ET_DYN, and EM_X86_64 or EM_AARCH64
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  word(16, 3 | ((arch === "x86_64" ? 62 : 183) << 16));
  word(20, 1);
  long(32, headerSize);
  view.setUint16(52, headerSize, true);
  view.setUint16(54, programHeaderSize, true);
  view.setUint16(56, 2, true);
  const segment = (index: number, type: number, flags: number, begin: number, end: number) => {
    const at = headerSize + index * programHeaderSize;
    word(at, type);
    word(at + 4, flags);
    for (const offset of [8, 16, 24]) long(at + offset, begin);
    for (const offset of [32, 40]) long(at + offset, end - begin);
    long(at + 48, type === PT_LOAD ? alignment : 8);
  };
  segment(0, PT_LOAD, PF_R | PF_X, 0, size);
  segment(1, PT_DYNAMIC, PF_R, dynamic, code);
  // DT_HASH, DT_STRTAB, DT_SYMTAB, DT_STRSZ, DT_SYMENT
  [
    [4, hash],
    [5, strings],
    [6, symbols],
    [10, text.length],
    [11, symbolSize],
  ].forEach(([tag = 0, value = 0], index) => {
    long(dynamic + 16 * index, tag);
    long(dynamic + 16 * index + 8, value);
  });

  // One bucket, whose chain goes through all symbols.
  [1, names.length + 1, 1, 0].forEach((value, index) => {
    word(hash + 4 * index, value);
  });
  let nameAt = 1;
  names.forEach((name, index) => {
    const stub = stubs[name] ?? "zeros";
    const at = symbols + symbolSize * (index + 1);
    const place = code + stubSize * index;
    word(at, nameAt);
    // STB_GLOBAL, STT_OBJECT or STT_FUNC; any section but SHN_UNDEF
    file[at + 4] = 0x10 | (stub === "zeros" ? 1 : 2);
    view.setUint16(at + 6, 1, true);
    long(at + 8, place);
    long(at + 16, stubSize);
    if (stub !== "zeros") file.set(returning(arch, stub), place);
    word(hash + 4 * (index + 4), index + 1 < names.length ? index + 2 : 0);
    nameAt += name.length + 1;
  });
  file.set(text, strings);
  return file;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PF_X = 1;
const PF_R = 4;

/** A function that returns the number. */
function returning(arch: Arch, value: number): Uint8Array {
  const code = new Uint8Array(stubSize);
  const view = new DataView(code.buffer);
  if (arch === "x86_64") {
    code[0] = 0xb8; // mov eax, value
    view.setInt32(1, value, true);
    code[5] = 0xc3; // ret
  } else {
    // mov w0, value: movn for -1, movz for all others
    view.setUint32(0, value < 0 ? 0x12800000 | (~value << 5) : 0x52800000 | (value << 5), true);
    view.setUint32(4, 0xd65f03c0, true); // ret
  }
  return code;
}
