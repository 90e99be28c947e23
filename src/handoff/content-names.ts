/** Files under names that say what is in them, so that no cache can have another under the same name. */
import { EEXIST, errnoText } from "../errno.ts";
import { cannot } from "../errors.ts";
import { sha256Of } from "../image/bytes.ts";
import { makeTwin } from "../linux/device/twin.ts";
import { InputFile } from "../linux/file.ts";
import { type ManifestFile, otherDigest } from "../trust/manifest.ts";
import type { Observer } from "./report.ts";

/**
 * Gives a file that a manifest describes a second name in the manifest's folder: a link, or a copy.
 * @returns what the manifest says of it then
 * @throws KexecError `digest-mismatch`: another file has the name; `io-error`
 */
export function byContent(listed: ManifestFile, folder: string, observer: Observer): ManifestFile {
  const path = `sha256-${listed.sha256}`;
  if (path === listed.path) return listed;
  const below = folder === "/" ? "" : folder;
  const result = makeTwin(`${below}/${listed.path}`, `${below}/${path}`);
  if (result === -EEXIST) requireSame(`${below}/${path}`, listed);
  else if (result < 0) {
    throw cannot(`name ${below}/${listed.path} by its content`, {
      code: "io-error",
      details: { path: `${below}/${path}` },
      why: errnoText(-result).toLowerCase(),
      hint: "the folder must be one that can be written to",
    });
  }
  observer.note?.(`${listed.path} is ${path}, too`);
  return { ...listed, path };
}

function requireSame(path: string, listed: ManifestFile): void {
  using file = InputFile.open(path, "file");
  const sha256 = sha256Of(file);
  if (sha256 !== listed.sha256) throw cannot(`use ${path}`, otherDigest(sha256, listed));
}
