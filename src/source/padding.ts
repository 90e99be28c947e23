/** Zeros behind a compressed kernel, as tools that write whole blocks leave them. */
import { walkZstd } from "../initramfs/framing-zstd.ts";
import { Window } from "../initramfs/window.ts";
import { type OpenFile, rangeOf } from "./open-file.ts";

/** Fewer zeros may be the end of the stream: a length of a kernel has some. */
const fewest = 16;

/**
 * The stream without zeros behind it; the part as it is where there are none, or where its end is not to
 * be found: to unpack it tells why.
 * @param mostUnpacked Bytes that it may unpack to while its end is looked for.
 */
export async function withoutPadding(
  part: OpenFile,
  compression: "gzip" | "zstd",
  mostUnpacked: number,
): Promise<OpenFile> {
  const tail = part.read(Math.max(0, part.size - fewest), Math.min(fewest, part.size));
  if (tail.length < fewest || tail.some((byte) => byte !== 0)) return part;
  const end = compression === "zstd" ? endOfZstd(part) : await endOfGzip(part, mostUnpacked);
  if (end === undefined || end >= part.size) return part;
  return new Window(part, part.size).skipZeros(end) < part.size
    ? part
    : rangeOf(part, 0, end, part.path);
}

function endOfZstd(part: OpenFile): number | undefined {
  const walked = walkZstd(new Window(part, part.size), 0);
  return "why" in walked ? undefined : walked.end;
}

async function endOfGzip(part: OpenFile, most: number): Promise<number | undefined> {
  const { gunzip } = await import("./gunzip.ts");
  let unpacked = 0;
  const found = await gunzip(part, 0, ({ length }) => {
    unpacked += length;
    return unpacked <= most;
  });
  return found.kind === "whole" ? found.end : undefined;
}
