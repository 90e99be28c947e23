/** A gzip member unpacked as a stream, to see where it ends: RFC 1952. */
import { crc32, createInflateRaw } from "node:zlib";
import type { ByteSource } from "../image/bytes.ts";

/** What a member came to; `at` is where it is cut or broken. */
export type Gunzipped =
  | { readonly kind: "whole"; readonly end: number }
  | { readonly kind: "cut" | "broken"; readonly at: number; readonly why: string }
  /** `take` wanted no more. */
  | { readonly kind: "stopped" };

const piece = 256 << 10;
/** Of what is unpacked, at a time: by the 16 KiB that are usual it takes ten times as long. */
const chunkSize = 256 << 10;
const fixedHeader = 10;
const trailerSize = 8;
/** FHCRC, FEXTRA, FNAME, FCOMMENT: 2.3.1. */
const [headerCrc, extra, name, comment] = [2, 4, 8, 16];
/** Bytes of a header that are looked at. */
const longestHeader = 64 << 10;

/**
 * Unpacks the member at `start`, checks its length and its CRC, and gives what it holds to `take` bit by
 * bit; that stops it by returning false.
 */
export async function gunzip(
  source: ByteSource,
  start: number,
  take: (bytes: Uint8Array) => boolean,
): Promise<Gunzipped> {
  const body = start + headerLength(source, start);
  if (!Number.isFinite(body)) return { kind: "cut", at: start, why: "ends inside a gzip header" };
  const inflate = createInflateRaw({ chunkSize });
  let [sum, size, stopped] = [0, 0, false];
  let failure: string | undefined;
  const ended = new Promise<void>((resolve) => {
    inflate.on("data", (bytes: Uint8Array) => {
      if (stopped) return;
      sum = crc32(bytes, sum);
      size += bytes.length;
      if (take(bytes)) return;
      stopped = true;
      resolve();
    });
    inflate.on("end", resolve);
    inflate.on("error", (error: Error) => {
      failure = error.message;
      resolve();
    });
  });
  let over = false;
  const finished = ended.then(() => {
    over = true;
  });
  for (let at = body; at < source.size && !over; at += piece) {
    const bytes = source.read(at, Math.min(piece, source.size - at));
    if (inflate.write(bytes)) continue;
    await Promise.race([new Promise<void>((resolve) => inflate.once("drain", resolve)), finished]);
  }
  if (!over) inflate.end();
  await finished;
  const end = body + inflate.bytesWritten;
  inflate.destroy();
  if (stopped) return { kind: "stopped" };
  if (failure !== undefined) {
    return /unexpected end/i.test(failure)
      ? { kind: "cut", at: source.size, why: "ends inside a gzip stream" }
      : { kind: "broken", at: start, why: "has a damaged gzip stream" };
  }
  if (trailerSize > source.size - end) {
    return { kind: "cut", at: source.size, why: "ends inside a gzip trailer" };
  }
  const trailer = source.read(end, trailerSize);
  const fields = new DataView(trailer.buffer, trailer.byteOffset, trailerSize);
  if (fields.getUint32(0, true) !== sum || fields.getUint32(4, true) !== size % 2 ** 32) {
    return { kind: "broken", at: end, why: "has a gzip stream that does not fit its checksum" };
  }
  return { kind: "whole", end: end + trailerSize };
}

/** Bytes of a member's header: 2.3. Infinite where it has no end. */
function headerLength(source: ByteSource, start: number): number {
  const bytes = source.read(start, Math.min(longestHeader, source.size - start));
  const flags = bytes[3] ?? 0;
  let at = fixedHeader;
  if ((flags & extra) !== 0) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const text of [name, comment]) {
    if ((flags & text) === 0) continue;
    const nul = at < bytes.length ? bytes.indexOf(0, at) : -1;
    if (nul < 0) return Number.POSITIVE_INFINITY;
    at = nul + 1;
  }
  if ((flags & headerCrc) !== 0) at += 2;
  return at < bytes.length ? at : Number.POSITIVE_INFINITY;
}
