/** The digest of a file, read in pieces, so that memory does not grow with it. */
import type { ByteSource } from "../image/bytes.ts";

/** Bytes that are digested at once. */
const STEP = 1 << 20;

/** SHA-256 of a whole file as hex. `onRead` hears how many bytes are done. */
export function sha256Of(file: ByteSource, onRead?: (done: number) => void): string {
  const hasher = new Bun.CryptoHasher("sha256");
  for (let at = 0; at < file.size; at += STEP) {
    const length = Math.min(STEP, file.size - at);
    hasher.update(file.read(at, length));
    onRead?.(at + length);
  }
  return hasher.digest("hex");
}
