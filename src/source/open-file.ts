/** Open bytes with a name: a file, a range of one, or what was fetched into memory. */

import { type ByteSource, isWithin, sliceOf } from "../image/bytes.ts";
import { adviseWillNeed } from "../linux/file.ts";
import type { Memfd, OnCopied } from "../linux/memfd.ts";
import type { ManifestFile } from "../trust/manifest.ts";

/**
 * Bytes that are open, of a known length. `InputFile` and `Memfd` are such files, and so is what
 * `rangeOf` makes: a section of a UKI, a file inside of an ISO image.
 */
export interface OpenFile extends ByteSource {
  /** What messages call it: as the user named it, `linux.efi#.initrd` for a part. */
  readonly path: string;
  /** Canonical and absolute where it has a place in a file system; `path` where not. */
  readonly canonicalPath: string;
  /** The descriptor of these bytes and no others: it can be given to the kernel. */
  readonly fd: number | undefined;
  /** Where the bytes are sealed in memory and were digested as they came: their SHA-256, in hex. */
  readonly sealedAs?: string | undefined;
  /** Where the kernel finds the bytes, in their order: copies do not pass through this process. */
  readonly extents: readonly Extent[];
}

/** Bytes [offset, offset + length) of the file that a descriptor is open on. */
export interface Extent {
  readonly fd: number;
  /** What messages call that file. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
}

/** A file that can be given to the kernel as it is. */
export type WholeFile = OpenFile & { readonly fd: number };

export function isWhole(file: OpenFile): file is WholeFile {
  return file.fd !== undefined;
}

/** A file that is closed when it is disposed of. */
export type HeldFile = OpenFile & Disposable;

/** Opens the file whose name is another's and `suffix`: its signature. */
export interface OpenBeside {
  (suffix: string, what: string): HeldFile | Promise<HeldFile>;
  /** What follows the other's name in names beside it, in no order; left out where they cannot be listed. */
  readonly suffixes?: (limit: number) => readonly string[];
  /** Whether there is one; left out where only opening it tells. */
  readonly has?: (suffix: string) => boolean;
}

const longestBeginning = 1024;

/** What `FoundFile.beginning` is. */
export function beginningOf(file: OpenFile): Uint8Array {
  return file.read(0, Math.min(file.size, longestBeginning));
}

/** A file to load. */
export interface SourceFile {
  readonly file: OpenFile;
  /** What a manifest says that it must be; such a file is always a whole one. */
  readonly expected: ManifestFile | undefined;
  /** Of what may be a UKI: where its signature is. */
  readonly openBeside?: OpenBeside;
}

/** A range of a file under a name of its own. @throws RangeError where it is not inside */
export function rangeOf(file: OpenFile, offset: number, size: number, path: string): OpenFile {
  const { read } = sliceOf(file, offset, size);
  const whole = offset === 0 && size === file.size;
  return {
    path,
    canonicalPath: path,
    fd: whole ? file.fd : undefined,
    extents: extentsWithin(file, offset, size),
    size,
    read,
  };
}

/** The places of the bytes [offset, offset + length) of a file. */
export function extentsWithin(file: OpenFile, offset: number, length: number): readonly Extent[] {
  if (!isWithin(file.size, offset, length)) {
    throw new RangeError(`bytes ${offset}+${length} are outside of a file of ${file.size}`);
  }
  const found: Extent[] = [];
  let start = 0;
  for (const extent of file.extents) {
    const from = Math.max(offset, start);
    const to = Math.min(offset + length, start + extent.length);
    if (to > from) {
      found.push({ ...extent, offset: extent.offset + from - start, length: to - from });
    }
    start += extent.length;
  }
  return found;
}

/** Has the device read the file now, while something else is done. */
export function readAhead(file: OpenFile): void {
  for (const { fd, offset, length } of file.extents) adviseWillNeed(fd, offset, length);
}

/**
 * Appends the bytes [offset, offset + length) of `file` to `target`, copied by the kernel.
 * @throws KexecError of `Memfd.appendFile`
 */
export function appendRange(
  target: Memfd,
  file: OpenFile,
  offset: number,
  length: number,
  onCopied?: OnCopied,
): void {
  for (const extent of extentsWithin(file, offset, length)) {
    target.appendFile(extent, extent.offset, extent.length, onCopied);
  }
}
