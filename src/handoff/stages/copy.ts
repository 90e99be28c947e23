/** Bytes that were verified are the bytes that are loaded: copied, sealed, and only then digested. */
import { cannot } from "../../errors.ts";
import { Memfd } from "../../linux/memfd.ts";
import { appendRange, type OpenFile } from "../../source/open-file.ts";
import { type ManifestFile, otherDigest } from "../../trust/manifest.ts";
import type { Observer } from "../report.ts";

/** Bytes that are digested at once: a window of this size, so that memory does not grow with files. */
const STEP = 16 << 20;

/** A range of a file in memory. */
export interface Range {
  readonly at: number;
  readonly length: number;
}

/**
 * Copies a file into a sealed memfd and compares the digest of the copy.
 * @throws KexecError `digest-mismatch`, `file-changed`, `out-of-memory`, `io-error`
 */
export function copyChecked(
  file: OpenFile,
  expected: ManifestFile,
  what: string,
  observer: Observer,
): Memfd {
  const copy = copySealed(file, what, observer, expected.size);
  try {
    requireDigest(copy, [{ at: 0, length: expected.size }], expected, file.path, observer);
    return copy;
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}

/**
 * Copies the first `size` bytes of a file into a sealed memfd, which messages call by the file's path.
 * @throws KexecError `file-changed`, `out-of-memory`, `io-error`
 */
export function copySealed(
  file: OpenFile,
  what: string,
  observer: Observer,
  size = file.size,
): Memfd {
  const copy = Memfd.create(what, file.path);
  try {
    let done = 0;
    appendRange(copy, file, 0, size, (bytes) => {
      done += bytes;
      observer.progress?.(`copying the ${what}`, done, size, "copy");
    });
    copy.seal();
    return copy;
  } catch (error) {
    copy[Symbol.dispose]();
    throw error;
  }
}

/**
 * Compares the SHA-256 of the ranges, one behind the other, with what the manifest says. Files are
 * digested one after the other: a worker takes 50 ms and 9 MB to start, and a kernel of 12 MB, which
 * is what could be digested beside the initramfs, 15 ms. Devices read all of them meanwhile.
 * @throws KexecError `digest-mismatch`
 */
export function requireDigest(
  copy: Memfd,
  ranges: readonly Range[],
  expected: ManifestFile,
  path: string,
  observer: Observer,
): void {
  const hasher = new Bun.CryptoHasher("sha256");
  let done = 0;
  for (const { at, length } of ranges) {
    for (let offset = 0; offset < length; offset += STEP) {
      const step = Math.min(STEP, length - offset);
      using window = copy.window(at + offset, step);
      hasher.update(window.bytes);
      done += step;
      observer.progress?.(`verifying ${path}`, done, expected.size, "verify");
    }
  }
  const digest = hasher.digest("hex");
  if (digest === expected.sha256) return;
  throw cannot(`use ${path}`, otherDigest(digest, expected), { details: { path } });
}
