/** The kernel itself, out of its image, looked through for what was built in. Nothing of it is kept. */

import type { ByteSource } from "../../image/bytes.ts";
import { readCompression } from "../../image/compression.ts";
import { KernelSearch } from "../../image/content/kernel-search.ts";
import type { KernelImage } from "../kernel.ts";

/** Bytes that are looked through; distributions' kernels have 70 MB at most. */
const largest = 160 << 20;
const piece = 1 << 20;

/**
 * Looks through the unpacked kernel, as far as `largest`; undefined where its compression is not undone here.
 * What is damaged ends where it is damaged: this is for a look.
 */
export async function searchKernel(
  { image }: Pick<KernelImage, "image">,
  file: ByteSource,
  texts: readonly string[],
): Promise<KernelSearch | undefined> {
  const search = new KernelSearch(texts);
  if (image.kind !== "bzimage") {
    const size = Math.min(file.size, largest);
    for (let at = 0; at < size; at += piece) search.push(file.read(at, Math.min(piece, size - at)));
    return search;
  }
  const { payload } = image;
  if (payload === undefined || image.cutShort) return undefined;
  const compression = readCompression(file, payload.offset);
  if (compression !== "gzip" && compression !== "zstd") return undefined;
  const { readable, writable } = new DecompressionStream(compression);
  // The size stands behind the stream (cmd_size_append, scripts/Makefile.lib) but for gzip, which has it inside.
  const length = payload.length - (compression === "gzip" ? 0 : 4);
  const fed = feed(file, { offset: payload.offset, length }, writable.getWriter());
  const reader = readable.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || search.size + value.byteLength > largest) break;
      search.push(value);
    }
    await reader.cancel();
  } catch {
    // Damaged, or followed by something: what came before it counts.
  }
  await fed;
  return search.size === 0 ? undefined : search;
}

async function feed(
  file: ByteSource,
  { offset, length }: { readonly offset: number; readonly length: number },
  writer: WritableStreamDefaultWriter,
): Promise<void> {
  try {
    for (let at = 0; at < length; at += piece) {
      await writer.write(Uint8Array.from(file.read(offset + at, Math.min(piece, length - at))));
    }
    await writer.close();
  } catch {
    // The reader has what it wanted, or the stream is damaged: both end it.
  }
}
