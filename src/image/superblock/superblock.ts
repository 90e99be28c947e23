/**
 * Tells by its superblock which file system a disk or a partition holds, as blkid(8) names it, without
 * udev. Reads a few fixed places and, for the label of a FAT, a bounded part of its root directory.
 */
import type { ByteSource } from "../bytes.ts";
import { readExfat, readVfat } from "./fat.ts";
import { readMember } from "./member.ts";
import type { Ambiguous, FileSystem, Member } from "./types.ts";
import { readBtrfs, readErofs, readExt, readSquashfs, readXfs } from "./unix.ts";

const readers = [
  readExt,
  readXfs,
  readBtrfs,
  readVfat,
  readExfat,
  readSquashfs,
  readErofs,
] as const;

/**
 * What `source` holds; undefined where no superblock is known.
 * @param source The whole disk or partition.
 */
export function readSuperblock(source: ByteSource): FileSystem | Member | Ambiguous | undefined {
  // A mirror with its metadata at the end begins like the file system that it holds.
  const member = readMember(source);
  if (member !== undefined) return member;
  const found = readers.flatMap((read) => read(source) ?? []);
  const [only] = found;
  if (found.length <= 1) return only;
  return { kind: "ambiguous", types: found.map(({ type }) => type) };
}
