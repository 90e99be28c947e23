/** What the "newc" format says of names and sizes, for those who write it and for those who read it. */
import { KexecError } from "../errors.ts";
import { quote } from "./quote.ts";

/** Bytes of the fixed header: CPIO_HDRLEN of init/initramfs_internal.h. */
export const headerLength = 110;

/** Longest path and link target in bytes without the NUL: PATH_MAX - 1, include/uapi/linux/limits.h. */
export const maxPathBytes = 4095;
/** NAME_MAX, include/uapi/linux/limits.h. */
const maxNameBytes = 255;
export const trailerName = "TRAILER!!!";
/** A name at the root of the file system that no archive uses: see parents.ts. */
export const reservedName = ".aegis-kexec";

/**
 * The path as an archive stores it: without the leading slash.
 * @throws KexecError `malformed-input`: empty; `.`, `..` or empty components; NUL; too long.
 */
export function archivePath(path: string): string {
  const stored = path.startsWith("/") ? path.slice(1) : path;
  const refuse = (why: string) => malformed(`invalid path in an initramfs archive: ${why}`);
  if (stored === "") throw refuse("it is empty");
  if (stored.includes("\0")) throw refuse("it contains a NUL");
  if (!stored.isWellFormed()) throw refuse("it is not valid Unicode");
  if (stored === trailerName) throw refuse(`${trailerName} marks the end of an archive`);
  if (utf8Length(stored) > maxPathBytes) throw refuse(`it is longer than ${maxPathBytes} bytes`);
  for (const name of stored.split("/")) {
    if (name === "") throw refuse(`${quote(path)} has an empty component`);
    if (name === "." || name === "..") throw refuse(`${quote(path)} contains "${name}"`);
    if (utf8Length(name) > maxNameBytes)
      throw refuse(`a component is longer than ${maxNameBytes} bytes`);
  }
  return stored;
}

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, "utf8");
}

export function malformed(message: string): KexecError {
  return new KexecError("malformed-input", { message });
}
