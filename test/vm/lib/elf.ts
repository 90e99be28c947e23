/** What the bench must know of 64-bit little-endian ELF files: System V ABI, chapters 4 and 5. */

/** What a dynamically linked program asks for. */
export interface DynamicNeeds {
  /** The program loader's path (PT_INTERP); absent in libraries and static programs. */
  readonly interpreter: string | undefined;
  /** Names of libraries (DT_NEEDED). */
  readonly libraries: readonly string[];
}

interface Segment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly size: number;
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1;
const DT_STRTAB = 5;

/** @throws Error when the file is not such an ELF file. */
export function dynamicNeeds(file: Uint8Array): DynamicNeeds {
  const { interpreter, libraries } = readDynamic(file);
  return { interpreter, libraries: libraries.map(({ name }) => name) };
}

/**
 * A copy of a library that asks for `library` without the first letter of that name.
 * @throws Error when it does not ask for it.
 */
export function askingWithoutFirstLetter(file: Uint8Array, library: string): Uint8Array {
  const need = readDynamic(file).libraries.find(({ name }) => name === library);
  if (need === undefined) throw new Error(`the library does not need ${library}`);
  const copy = Uint8Array.from(file);
  const view = new DataView(copy.buffer);
  view.setBigUint64(need.at, view.getBigUint64(need.at, true) + 1n, true);
  return copy;
}

/** Each library with the place of its name's offset in the file. */
function readDynamic(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < 64 || view.getUint32(0) !== 0x7f454c46) throw new Error("not an ELF file");
  const number = (at: number) => Number(view.getBigUint64(at, true));
  const segments = Array.from({ length: view.getUint16(0x38, true) }, (_, index): Segment => {
    const at = number(0x20) + index * view.getUint16(0x36, true);
    return {
      type: view.getUint32(at, true),
      offset: number(at + 8),
      address: number(at + 16),
      size: number(at + 32),
    };
  });
  const text = (at: number) => {
    const end = file.indexOf(0, at);
    return new TextDecoder().decode(file.subarray(at, end));
  };
  const interpreter = segments.find((segment) => segment.type === PT_INTERP);
  const dynamic = segments.find((segment) => segment.type === PT_DYNAMIC);
  const needs: number[] = [];
  let strings = 0;
  for (let at = 0; dynamic !== undefined && at < dynamic.size; at += 16) {
    const tag = number(dynamic.offset + at);
    if (tag === DT_NEEDED) needs.push(dynamic.offset + at + 8);
    if (tag === DT_STRTAB) strings = number(dynamic.offset + at + 8);
  }
  const holder = segments.find(
    ({ type, address, size }) => type === PT_LOAD && strings >= address && strings < address + size,
  );
  const table = strings - (holder?.address ?? 0) + (holder?.offset ?? 0);
  return {
    interpreter: interpreter === undefined ? undefined : text(interpreter.offset),
    libraries: needs.map((at) => ({ at, name: text(table + number(at)) })),
  };
}

/** Names of the modules that a kernel module needs: `depends=` of its .modinfo. */
export function moduleNeeds(file: Uint8Array): readonly string[] {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const key = "\0depends=";
  const at = bytes.indexOf(key, 0, "latin1");
  if (at === -1) return [];
  const start = at + key.length;
  const value = bytes.toString("latin1", start, bytes.indexOf(0, start));
  return value === "" ? [] : value.split(",");
}
