/** Files that the kernel itself checks, page by page, as it reads them: they need no copy and no digest. */
import { cannot } from "../../errors.ts";
import { measureVerity } from "../../linux/verity.ts";
import { isWhole, type OpenFile, type SourceFile } from "../../source/open-file.ts";
import type { ManifestFile } from "../../trust/manifest.ts";
import type { Observer } from "../report.ts";

/**
 * Whether the kernel vouches for the file by the fs-verity digest that the manifest names. It is asked about
 * the descriptor that is given to it later. False where the file has no such digest: then its SHA-256 counts.
 * @throws KexecError `digest-mismatch` where it has another one
 */
export function isCheckedByKernel(file: OpenFile, expected: ManifestFile): boolean {
  if (expected.verity === undefined || !isWhole(file)) return false;
  const measured = measureVerity(file.fd);
  if (measured === undefined) return false;
  if (measured === expected.verity && file.size === expected.size) return true;
  throw cannot(`use ${file.path}`, {
    code: "digest-mismatch",
    details: { path: file.path },
    why: "its fs-verity digest is not the manifest's",
    hint: "it belongs to another generation: copy the generation again, whole, and enable fs-verity anew",
  });
}

/** The file as one of which nothing is to be checked any more, where the kernel checks it. */
export function withoutChecked(given: SourceFile, observer: Observer): SourceFile {
  const { file, expected } = given;
  if (expected === undefined || !isCheckedByKernel(file, expected)) return given;
  observer.note?.(
    `the kernel checks ${file.path} by fs-verity: it is neither copied nor digested here`,
  );
  return { ...given, expected: undefined };
}
