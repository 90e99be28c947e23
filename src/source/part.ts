/** What the next kernel is made of: open files, and parts of them. */
import { type ByteSource, sliceOf } from "../image/bytes.ts";
import type { ManifestFile } from "../trust/manifest.ts";

/** A file that is open, on a disk or in memory. `InputFile` and `Memfd` are. */
export interface OpenFile extends ByteSource {
  readonly fd: number;
  /** What messages call it. */
  readonly path: string;
}

/** A range of an open file; it may be all of it. */
export interface Part extends ByteSource {
  readonly file: OpenFile;
  /** First byte in `file`. */
  readonly offset: number;
  /** The path of the file, with `#.initrd` where it is that section of a UKI. */
  readonly path: string;
  /** What a manifest says that it must be; such a part is always a whole file. */
  readonly expected: ManifestFile | undefined;
}

/** A whole file as a part. `path` is its canonical one where that is known. */
export function wholeOf(file: OpenFile, expected?: ManifestFile, path = file.path): Part {
  return {
    file,
    offset: 0,
    size: file.size,
    path,
    expected,
    read: (offset, length) => file.read(offset, length),
  };
}

/** A range of a file as a part. @throws RangeError when it is not inside */
export function rangeOf(file: OpenFile, offset: number, size: number, path: string): Part {
  const { read } = sliceOf(file, offset, size);
  return { file, offset, size, path, expected: undefined, read };
}

export function isWhole({ file, offset, size }: Part): boolean {
  return offset === 0 && size === file.size;
}
