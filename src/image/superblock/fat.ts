/**
 * FAT12, FAT16 and FAT32 (Microsoft's FAT specification 1.03) and exFAT (Microsoft's exFAT specification).
 * Their labels stand in the root directory; the boot sector of a FAT holds a copy, which tools forget.
 */
import { type ByteSource, type Fields, fieldsOf, hasMagic, magicOf, readWithin } from "../bytes.ts";
import { serialOf } from "./text.ts";
import type { FileSystem } from "./types.ts";

type Found = FileSystem | undefined;

const sectorMagic = [0x55, 0xaa];
/** Bytes of a root directory that are looked at for the label, which is its first entry as a rule. */
const mostDirectory = 1 << 16;
/** Links of a cluster chain that are followed; a chain may be a circle. */
const mostClusters = 128;

const isPowerOfTwo = (value: number) => value > 0 && (value & (value - 1)) === 0;

interface Chain {
  readonly first: number;
  /** Bytes of a cluster, and where cluster `number` lies. */
  readonly size: number;
  at(number: number): number;
  /** Where the link of cluster `number` stands, 4 bytes. */
  link(number: number): number;
  readonly mask: number;
}

/** The first bytes of a directory that lies in a chain of clusters. */
function* clusters(source: ByteSource, chain: Chain): Generator<Uint8Array> {
  let left = mostDirectory;
  let cluster = chain.first;
  for (let count = 0; count < mostClusters && left > 0; count++) {
    if (cluster < 2) return;
    const length = Math.min(chain.size, left);
    const bytes = readWithin(source, chain.at(cluster), length);
    if (bytes === undefined) return;
    yield bytes;
    left -= length;
    const link = readWithin(source, chain.link(cluster), 4);
    if (link === undefined) return;
    cluster = fieldsOf(link).u32(0) & chain.mask;
  }
}

export function readVfat(source: ByteSource): Found {
  const bytes = readWithin(source, 0, 512);
  if (bytes === undefined || !hasMagic(bytes, 510, sectorMagic)) return undefined;
  const fields = fieldsOf(bytes);
  const layout = layoutOf(fields);
  if (layout === undefined) return undefined;
  const wide = layout.sectorsPerFat16 === 0;
  // BS_FilSysType is for information only, and yet what tells a FAT from another boot sector.
  const announced = wide ? ([0x52, "FAT32   "] as const) : ([0x36, "FAT"] as const);
  if (!hasMagic(bytes, announced[0], magicOf(announced[1]))) return undefined;
  const root = wide
    ? clusters(source, {
        first: fields.u32(44),
        size: layout.sector * layout.perCluster,
        at: (number) => layout.data + (number - 2) * layout.sector * layout.perCluster,
        link: (number) => layout.reserved + number * 4,
        // The upper four bits are reserved
        mask: 0x0fff_ffff,
      })
    : fixedRoot(source, layout);
  const copy = bytes.subarray(wide ? 0x47 : 0x2b, wide ? 0x52 : 0x36);
  return {
    kind: "file-system",
    type: "vfat",
    label: labelIn(root) ?? nameOf(copy),
    uuid: serialOf(fields.u32(wide ? 0x43 : 0x27)),
    unclean: undefined,
    member: undefined,
  };
}

interface Layout {
  /** Bytes. */
  readonly sector: number;
  readonly perCluster: number;
  /** Offsets in bytes: the first FAT, the fixed root directory, the first cluster. */
  readonly reserved: number;
  readonly root: number;
  readonly data: number;
  readonly sectorsPerFat16: number;
}

/** The layout that the boot sector describes; undefined where it cannot be one. */
function layoutOf(fields: Fields): Layout | undefined {
  const sector = fields.u16(11);
  const perCluster = fields.u8(13);
  const reserved = fields.u16(14);
  const copies = fields.u8(16);
  const rootEntries = fields.u16(17);
  const media = fields.u8(21);
  const sectorsPerFat16 = fields.u16(22);
  const sectorsPerFat = sectorsPerFat16 === 0 ? fields.u32(36) : sectorsPerFat16;
  const plausible =
    isPowerOfTwo(sector) &&
    sector >= 512 &&
    sector <= 4096 &&
    isPowerOfTwo(perCluster) &&
    reserved > 0 &&
    copies > 0 &&
    sectorsPerFat > 0 &&
    (media === 0xf0 || media >= 0xf8);
  if (!plausible) return undefined;
  const root = (reserved + copies * sectorsPerFat) * sector;
  return {
    sector,
    perCluster,
    reserved: reserved * sector,
    root,
    data: root + Math.ceil((rootEntries * 32) / sector) * sector,
    sectorsPerFat16,
  };
}

function* fixedRoot(source: ByteSource, { root, data }: Layout): Generator<Uint8Array> {
  const bytes = readWithin(source, root, Math.min(data - root, mostDirectory));
  if (bytes !== undefined) yield bytes;
}

/** The volume's own entry: attribute 0x08, and not the 0x0f of a long name. */
function labelIn(directory: Iterable<Uint8Array>): string | undefined {
  for (const bytes of directory) {
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      const first = bytes[at] ?? 0;
      if (first === 0) return undefined;
      const attributes = (bytes[at + 11] ?? 0) & 0x3f;
      if (first === 0xe5 || (attributes & 0x18) !== 0x08 || attributes === 0x0f) continue;
      return nameOf(bytes.subarray(at, at + 11));
    }
  }
  return undefined;
}

/** Eleven bytes, padded with blanks; `NO NAME` is what tools write for none. */
function nameOf(bytes: Uint8Array): string | undefined {
  const name = new TextDecoder().decode(bytes).replace(/[ \0]+$/, "");
  return name === "" || name === "NO NAME" ? undefined : name;
}

const exfatMagic = magicOf("EXFAT   ");

export function readExfat(source: ByteSource): Found {
  const bytes = readWithin(source, 0, 512);
  if (bytes === undefined || !hasMagic(bytes, 3, exfatMagic)) return undefined;
  if (!hasMagic(bytes, 510, sectorMagic)) return undefined;
  const fields = fieldsOf(bytes);
  const [sectorShift, clusterShift] = [fields.u8(108), fields.u8(109)];
  // Section 3.1: sectors of 512 to 4096 bytes, clusters of at most 32 MiB
  if (sectorShift < 9 || sectorShift > 12 || sectorShift + clusterShift > 25) return undefined;
  const sector = 2 ** sectorShift;
  const size = sector * 2 ** clusterShift;
  const [table, heap] = [fields.u32(80) * sector, fields.u32(88) * sector];
  const root = clusters(source, {
    first: fields.u32(96),
    size,
    at: (number) => heap + (number - 2) * size,
    link: (number) => table + number * 4,
    mask: 0xffff_ffff,
  });
  return {
    kind: "file-system",
    type: "exfat",
    label: exfatLabelIn(root),
    uuid: serialOf(fields.u32(100)),
    unclean: undefined,
    member: undefined,
  };
}

/** The volume label's entry: type 0x83, a count of UTF-16 units, and at most 11 of them. */
function exfatLabelIn(directory: Iterable<Uint8Array>): string | undefined {
  for (const bytes of directory) {
    for (let at = 0; at + 32 <= bytes.length; at += 32) {
      const type = bytes[at];
      if (type === 0) return undefined;
      if (type !== 0x83) continue;
      const count = Math.min(bytes[at + 1] ?? 0, 11);
      const text = new TextDecoder("utf-16le").decode(bytes.subarray(at + 2, at + 2 + count * 2));
      return text === "" ? undefined : text;
    }
  }
  return undefined;
}
