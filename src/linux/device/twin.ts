/** A second name for a file. */
import { constants, copyFileSync, linkSync } from "node:fs";
import { EIO } from "../../errno.ts";

/** A link where the file system has such, or a copy. 0, or -errno: -EEXIST where the name is taken. */
export function makeTwin(path: string, other: string): number {
  const linked = attempt(() => linkSync(path, other));
  // EPERM, EMLINK, EXDEV, EOPNOTSUPP: no links there, or no more of them
  if (![-1, -31, -18, -95].includes(linked)) return linked;
  return attempt(() => copyFileSync(path, other, constants.COPYFILE_EXCL));
}

function attempt(make: () => void): number {
  try {
    make();
    return 0;
  } catch (error) {
    const { errno } = error as { readonly errno?: unknown };
    return typeof errno === "number" ? -Math.abs(errno) : -EIO;
  }
}
