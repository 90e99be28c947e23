/**
 * The directories that an injected file stands in: made where they are missing,
 * left exactly as they are where an earlier archive made them.
 *
 * A file whose parent is missing is dropped in silence (init/initramfs.c,
 * do_name: filp_open fails). A directory entry makes the parent, but resets
 * mode, owner and time of one that is there: do_name calls chmod whatever mkdir
 * said. And the earlier archives cannot always be read, so the kernel has to
 * find out by itself. For each parent P, from the top down, with `.aegis-kexec`
 * as the mark M:
 *
 * 1. a link M to `/`;
 * 2. a removal of `P/../../…/M`. It can only be reached through P, so it takes
 *    M away where P is a directory (or a link to one) and does nothing where it
 *    is not. `..` of the root is the root (fs/namei.c, follow_dotdot), so that
 *    more of them than needed do no harm;
 * 3. a directory `M/P`: made where M is still there, else nothing: no such path.
 *
 * Last a removal of M. A removal is an entry without a file type: clean_path
 * with mode 0 takes away what is at the path, no branch of do_name puts anything
 * there. Seen to work on 6.1, 6.12 and 7.2.
 */
import { cannot } from "../errors.ts";
import { entryChunks, entryHeader, parentDirectories, removalOf } from "./cpio.ts";
import { reservedName } from "./newc.ts";
import { quote } from "./quote.ts";

/** Levels below the root at which an existing parent may be, counted without links. */
const maxDepth = 128;

/** What the kernel reads of a path: PATH_MAX - 1, include/uapi/linux/limits.h. */
const maxPathBytes = 4095;

/**
 * The entries, as bytes without trailer, that make the parents of the paths.
 * They go in front of the entries of the paths, in the same archive. The new
 * directories are 0755 root:root. A parent that is a file, or a link to nothing,
 * is replaced.
 * @throws KexecError `malformed-input`: a path that an archive cannot hold, or too long for this.
 */
export function parentEntries(paths: Iterable<string>): Uint8Array[] {
  const parents = parentDirectories(paths);
  if (parents.length === 0) return [];
  const removeMark = entryHeader({ type: "removal", path: reservedName });
  const entries = parents.flatMap((parent) => {
    const way = `${parent}/${"../".repeat(maxDepth)}${reservedName}`;
    if (Buffer.byteLength(way, "utf8") > maxPathBytes) {
      throw cannot(`make the directory ${quote(parent)}`, {
        code: "malformed-input",
        why: "its path is too long",
      });
    }
    return [
      ...entryChunks([{ type: "symlink", path: reservedName, target: "/" }]),
      removalOf(way),
      entryHeader({ type: "directory", path: `${reservedName}/${parent}` }),
    ];
  });
  return [...entries, removeMark];
}
