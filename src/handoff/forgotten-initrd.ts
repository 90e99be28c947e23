/** A SOURCE that is an initramfs archive: somebody left `--initrd` out. */
import { KexecError } from "../errors.ts";
import { head } from "../image/bytes.ts";
import { archiveHeadLength, identifyArchive } from "../initramfs/archive.ts";
import { InputFile } from "../linux/file.ts";
import { largestUnpacked, unpack } from "../source/unpack.ts";
import { shellWord } from "../visible.ts";

/** What is said of a path that stands behind another SOURCE; undefined where it is no archive. */
export async function forgottenInitrd(path: string): Promise<string | undefined> {
  try {
    using file = InputFile.open(path, "kernel");
    if (!(await isArchive(file))) return undefined;
  } catch (error) {
    // Whether it can be opened matters only where it is that one's turn.
    if (!(error instanceof KexecError)) throw error;
    return undefined;
  }
  return `${path} is an initramfs archive, and stands where another SOURCE would: write --initrd ${shellWord(path)}`;
}

async function isArchive(file: InputFile): Promise<boolean> {
  const { kind } = identifyArchive(head(file, archiveHeadLength));
  if (kind !== "gzip" && kind !== "zstd") return kind !== "unknown";
  // A kernel may be compressed by either: by nothing else, see `unpack`.
  using beginning = await unpack(file, kind, largestUnpacked, {}, () => false);
  return identifyArchive(head(beginning, archiveHeadLength)).kind !== "unknown";
}
