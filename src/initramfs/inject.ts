/**
 * The layout of the archive that carries files whose bytes must not pass
 * through the memory of JavaScript: everything around them is given here.
 */
import { archiveTrailer, entryHeader, paddingAfter } from "./cpio.ts";
import { parentEntries } from "./parents.ts";

/** A file to be put at an absolute path; size in bytes. */
export interface InjectedFile {
  readonly destination: string;
  readonly mode: number;
  readonly size: number;
}

/** What lies at `at` in the archive: these bytes, or `length` bytes of the file of that index. */
export type InjectedPart =
  | { readonly at: number; readonly bytes: Uint8Array }
  | { readonly at: number; readonly file: number; readonly length: number };

export interface InjectedArchive {
  /** Bytes of the whole archive; a multiple of four. */
  readonly size: number;
  /** In order, without gap or overlap. */
  readonly parts: readonly InjectedPart[];
}

/**
 * Plans one archive with the files, in order, owned by root, below directories
 * that are made where missing (`parentEntries`). What is at a destination is
 * removed first: written over, it would keep its hard links, and the bytes
 * would show there too (do_name of init/initramfs.c opens with O_TRUNC).
 * @throws KexecError `malformed-input`: a path, mode or size that an archive cannot hold.
 */
export function planInjection(files: readonly InjectedFile[]): InjectedArchive {
  const parts: InjectedPart[] = [];
  let at = 0;
  const addBytes = (...chunks: readonly Uint8Array[]) => {
    for (const bytes of chunks) {
      if (bytes.length > 0) parts.push({ at, bytes });
      at += bytes.length;
    }
  };
  addBytes(...parentEntries(files.map(({ destination }) => destination)));
  for (const [file, { destination: path, mode, size: length }] of files.entries()) {
    addBytes(entryHeader({ type: "removal", path }));
    addBytes(entryHeader({ type: "file", path, mode }, length));
    if (length > 0) parts.push({ at, file, length });
    at += length;
    addBytes(new Uint8Array(paddingAfter(length)));
  }
  addBytes(archiveTrailer());
  return { size: at, parts };
}
