/**
 * How large an initramfs is once the kernel has unpacked it, as far as headers, blocks and indexes tell. Nothing is
 * unpacked. Pure.
 */
import type { ByteSource } from "../../image/bytes.ts";
import { type Compression, readCompression } from "../../image/compression.ts";
import { walkLz4 } from "../framing-lz4.ts";
import { walkXz } from "../framing-xz.ts";
import { walkZstd } from "../framing-zstd.ts";
import { Window } from "../window.ts";
import { gzipSize, lz4Size, lzmaSize, newcSize, type Size, xzSize, zstdSize } from "./formats.ts";

export type { Size } from "./formats.ts";

/** Archives that are looked at one behind the other; what has more is no initramfs. */
const mostArchives = 1000;

/**
 * Adds up the archives of an initramfs.
 * @param end Where they end, and a bootconfig may begin.
 */
export function unpackedSize(source: ByteSource, end = source.size): Size {
  const window = new Window(source, end);
  let least = 0;
  let likely: number | undefined = 0;
  const add = (size: Size) => {
    least += size.least;
    likely = likely === undefined || size.likely === undefined ? undefined : likely + size.likely;
  };
  const result = () => ({ least, likely: likely && Math.max(least, likely) });
  let at = window.skipZeros(0);
  for (let count = 0; at < end && count < mostArchives; count++) {
    const one = sizeAt(window, at);
    if (one === undefined) break;
    add(one);
    if (one.end === undefined) break;
    at = window.skipZeros(one.end);
  }
  return result();
}

/** One archive's size, and where it ends where that can be told. */
function sizeAt(
  window: Window,
  at: number,
): (Size & { readonly end: number | undefined }) | undefined {
  if (window.read(at, 1)[0] === 0x30) return newcSize(window, at);
  const compression = readCompression({
    size: window.end - at,
    read: (offset, length) => window.read(at + offset, length),
  });
  if (compression === undefined) return undefined;
  const end = endOf(window, at, compression);
  const size = sizes[compression]?.(window, at, end ?? window.end);
  return { ...(size ?? { least: window.end - at, likely: undefined }), end };
}

function endOf(window: Window, at: number, compression: Compression): number | undefined {
  const walk = { xz: walkXz, zstd: walkZstd, "lz4-legacy": walkLz4 };
  if (compression !== "xz" && compression !== "zstd" && compression !== "lz4-legacy")
    return undefined;
  const walked = walk[compression](window, at);
  return "why" in walked ? undefined : walked.end;
}

const sizes: Partial<Record<Compression, (window: Window, at: number, end: number) => Size>> = {
  xz: xzSize,
  zstd: zstdSize,
  "lz4-legacy": lz4Size,
  gzip: gzipSize,
  lzma: lzmaSize,
};
