/** An image that is not what was signed: where nothing refuses it, it is loaded, and hangs after the jump. */
import { readImageSignature } from "../../diagnosis/signature-check.ts";
import type { OpenFile } from "../../source/open-file.ts";
import type { Observer } from "../report.ts";

/** What to say of an image whose signature is of other bytes. It digests all of them. */
export function changedImageWarning(image: OpenFile): string | undefined {
  const { unchanged } = readImageSignature(image, true);
  return unchanged === false ? changedWarning(image.canonicalPath) : undefined;
}

export function warnOfChangedImage(image: OpenFile, observer: Observer): void {
  const changed = changedImageWarning(image);
  if (changed !== undefined) observer.warn?.(changed);
}

export function changedWarning(path: string): string {
  return `${path} is not what was signed: the digest of its signature is of other bytes, and it may hang after the jump; copy or download it again`;
}
