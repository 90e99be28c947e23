/**
 * ISO 9660 images: the volume descriptors. Source: ECMA-119 (volume descriptors: clause 8; times:
 * 8.4.26.1), and the Joliet specification for supplementary ones. Of a bridge image with UDF this is
 * the ISO side. The directories are read by `IsoTree`.
 */

import {
  type ByteSource,
  broken,
  fieldsOf,
  hasMagic,
  type ImageProblem,
  isWithin,
  magicOf,
  printable,
  readWithin,
} from "./bytes.ts";
import { firstDescriptor, identifier, isIso9660, sectorSize } from "./iso9660-mark.ts";

export { sectorSize } from "./iso9660-mark.ts";

/** Bytes of the image, by their offset in it. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface Iso9660 {
  readonly kind: "iso9660";
  /** The label and the UUID that blkid shows, and by which udev names the device. */
  readonly label: string;
  readonly uuid: string | undefined;
  /** The system identifier: `LINUX`, or empty. */
  readonly system: string;
  readonly publisher: string;
  readonly application: string;
  /** When the volume was made: `2026-03-01 12:00:00`, without a time zone. */
  readonly created: string | undefined;
  /** Bytes that the volume says it has; the file may be longer, and is cut short where not. */
  readonly volumeSize: number;
  readonly blockSize: number;
  /** Bytes before this are no file's: the system area and the volume descriptors. */
  readonly dataStart: number;
  readonly root: Extent;
  /** The root of the tree with Joliet's names. */
  readonly joliet: Extent | undefined;
}

/** Enough for boot records and supplementary descriptors; blkid looks at 16. */
const mostDescriptors = 64;
const format = "ISO 9660 image";

const PRIMARY = 1;
const SUPPLEMENTARY = 2;
const TERMINATOR = 255;
/** Escape sequences of UCS-2, levels 1 to 3: Joliet specification, "Escape Sequences". */
const jolietEscapes = ["%/@", "%/C", "%/E"].map(magicOf);

/** Facts of the volume; undefined where it is no ISO 9660 image. */
export function readIso9660(source: ByteSource): Iso9660 | ImageProblem | undefined {
  if (!isIso9660(source)) return undefined;
  let primary: Uint8Array | undefined;
  let joliet: Uint8Array | undefined;
  let at = firstDescriptor;
  for (let index = 0; ; index++, at += sectorSize) {
    if (index === mostDescriptors) {
      return problem(`it has more than ${mostDescriptors} volume descriptors`);
    }
    const bytes = readWithin(source, at, sectorSize);
    if (bytes === undefined) return problem("it ends within its volume descriptors");
    if (!hasMagic(bytes, 1, identifier)) return problem("its volume descriptors have no end");
    const type = bytes[0];
    if (type === TERMINATOR) break;
    if (type === PRIMARY) primary ??= bytes;
    if (type === SUPPLEMENTARY && jolietEscapes.some((magic) => hasMagic(bytes, 88, magic))) {
      joliet ??= bytes;
    }
  }
  if (primary === undefined) return problem("it has no primary volume descriptor");
  return readVolume(source, primary, joliet, at + sectorSize);
}

function readVolume(
  source: ByteSource,
  primary: Uint8Array,
  joliet: Uint8Array | undefined,
  dataStart: number,
): Iso9660 | ImageProblem {
  const fields = fieldsOf(primary);
  const blockSize = fields.u16(128);
  if (blockSize !== 512 && blockSize !== 1024 && blockSize !== 2048) {
    return problem("its logical blocks are not of 512, 1024 or 2048 bytes");
  }
  const rootOf = (descriptor: Uint8Array): Extent => {
    const record = fieldsOf(descriptor.subarray(156, 190));
    return { offset: record.u32(2) * blockSize, length: record.u32(10) };
  };
  const root = rootOf(primary);
  if (!isWithin(source.size, root.offset, root.length) || root.length === 0) {
    return problem("its root directory lies outside of the file");
  }
  const other = joliet === undefined ? undefined : rootOf(joliet);
  return {
    kind: "iso9660",
    label: labelOf(primary, joliet),
    uuid: uuidOf(primary),
    system: text(primary, 8, 32),
    publisher: text(primary, 318, 128),
    application: text(primary, 574, 128),
    created: timeOf(primary, 813),
    volumeSize: fields.u32(80) * blockSize,
    blockSize,
    dataStart,
    root,
    joliet:
      other !== undefined && other.length > 0 && isWithin(source.size, other.offset, other.length)
        ? other
        : undefined,
  };
}

function problem(rule: string): ImageProblem {
  return broken(format, "malformed-input", rule);
}

function text(bytes: Uint8Array, offset: number, length: number): string {
  return printable(bytes.subarray(offset, offset + length)).trimEnd();
}

/** UCS-2, big-endian, up to the first NUL; control characters are left out: see `printable`. */
export function ucs2(bytes: Uint8Array): string {
  const decoded = new TextDecoder("utf-16be").decode(bytes.subarray(0, bytes.length & ~1));
  const end = decoded.indexOf("\0");
  return withoutControls(end < 0 ? decoded : decoded.slice(0, end));
}

export function withoutControls(text: string): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f]/g, "");
}

/**
 * probe_iso9660 of libblkid: Joliet's label, where the primary one is not its beginning. Joliet's is
 * the one with capitals and small letters; the primary one has 32 characters, and Joliet's 16.
 */
function labelOf(primary: Uint8Array, joliet: Uint8Array | undefined): string {
  const plain = primary.subarray(40, 72);
  const own = new TextDecoder().decode(upToNul(plain));
  if (joliet === undefined) return withoutControls(own).trimEnd();
  const wide = joliet.subarray(40, 72);
  const same = Array.from({ length: 16 }, (_, index) => index).every(
    (index) => wide[2 * index] === 0 && wide[2 * index + 1] === plain[index],
  );
  return same ? withoutControls(own).trimEnd() : ucs2(wide).trimEnd();
}

function upToNul(bytes: Uint8Array): Uint8Array {
  const end = bytes.indexOf(0);
  return end < 0 ? bytes : bytes.subarray(0, end);
}

const MODIFIED = 830;
const CREATED = 813;

/** probe_iso9660_set_uuid of libblkid: the time of modification, else of creation. */
function uuidOf(primary: Uint8Array): string | undefined {
  return digitsOf(primary, MODIFIED)?.join("-") ?? digitsOf(primary, CREATED)?.join("-");
}

function timeOf(primary: Uint8Array, offset: number): string | undefined {
  const digits = digitsOf(primary, offset);
  if (digits === undefined) return undefined;
  const [year, month, day, hour, minute, second] = digits;
  return `${year}-${month}-${day} ${hour}:${minute}:${second}`;
}

/** Year, month, day, hour, minute, second and hundredths; undefined where no time is recorded. */
function digitsOf(primary: Uint8Array, offset: number): readonly string[] | undefined {
  const digits = String.fromCharCode(...primary.subarray(offset, offset + 16));
  if (!/^\d{16}$/.test(digits) || /^0+$/.test(digits)) return undefined;
  return /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(digits)?.slice(1);
}
