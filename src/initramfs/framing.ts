/**
 * Whether an initramfs is whole, as far as that shows without unpacking it: the archives that lie one
 * behind the other in it are walked through as the kernel does (unpack_to_rootfs, init/initramfs.c), by
 * their headers, blocks and indexes. What the kernel would stop at is a fault: it unpacks nothing that
 * follows, and says so only in its log.
 */
import { type ByteSource, fieldsOf } from "../image/bytes.ts";
import { type Compression, readCompression } from "../image/compression.ts";
import { walkLz4 } from "./framing-lz4.ts";
import { walkNewc } from "./framing-newc.ts";
import { walkXz } from "./framing-xz.ts";
import { walkZstd } from "./framing-zstd.ts";
import type { FramingFault, Walked } from "./walked.ts";
import { Window } from "./window.ts";

export interface Framing {
  readonly fault: FramingFault | undefined;
  /** The compressed archive whose end shows only when it is unpacked; nothing behind it was seen. */
  readonly unchecked: { readonly at: number; readonly compression: Compression } | undefined;
  readonly doubts: readonly string[];
  /** It has nothing but zeros, which the kernel skips. */
  readonly nothing: boolean;
  /** Whether it has anything beside microcode and ACPI tables. */
  readonly earlyOnly: boolean;
  /** Bytes that it unpacks to, roughly: a reason to look closer, or none. */
  readonly unpacked: number;
}

/** Bytes that tell what begins. */
const mostMagic = 16;

/**
 * Walks through an initramfs. It reads headers, and where an xz archive is followed by another one each
 * byte once.
 * @param from Where the first archive begins that is to be looked at; an unchecked one ended there.
 * @param end Where the archives end, and a bootconfig may begin.
 * @param window What was learnt of this source before, up to the same end.
 */
export function readFraming(
  source: ByteSource,
  from = 0,
  end = source.size,
  window = new Window(source, end),
): Framing {
  const doubts: string[] = [];
  let [early, other] = [false, from > 0];
  let unpacked = 0;
  const result = (rest: Partial<Framing> = {}): Framing => ({
    fault: undefined,
    unchecked: undefined,
    doubts,
    nothing: !early && !other && rest.fault === undefined && rest.unchecked === undefined,
    ...rest,
    unpacked,
    earlyOnly: early && !other && rest.unchecked === undefined,
  });
  for (let at = window.skipZeros(from); at < end; at = window.skipZeros(at)) {
    const begin = window.read(at, mostMagic);
    let walked: Walked;
    if (begin[0] === 0x30) {
      walked = walkNewc(window, at);
    } else {
      const compression = readCompression(offsetSource(window, at));
      const walk = compression && walks[compression];
      if (compression === undefined) {
        return result({ fault: { kind: "junk", at, why: "has something that is no archive" } });
      }
      if (walk === undefined) {
        unpacked += uncheckedSize(window, at, compression);
        return result({ unchecked: { at, compression } });
      }
      walked = walk(window, at);
    }
    if ("why" in walked) return result({ fault: walked });
    unpacked += walked.unpacked;
    if (walked.doubt !== undefined) doubts.push(walked.doubt);
    if (walked.early === true) early = true;
    else other = true;
    at = walked.end;
  }
  return result();
}

/** gzip tells at its end (RFC 1952, 2.3.1), where that can be true; others are packed as well as most are. */
function uncheckedSize(window: Window, at: number, compression: Compression): number {
  const packed = window.end - at;
  const tells = compression === "gzip" && packed >= 18;
  const size = tells ? fieldsOf(window.read(window.end - 4, 4)).u32(0) : 0;
  return size >= packed && size <= packed * 1032 ? size : packed * 4;
}

const walks: Partial<Record<Compression, (window: Window, at: number) => Walked>> = {
  xz: walkXz,
  zstd: walkZstd,
  "lz4-legacy": walkLz4,
};

function offsetSource(window: Window, start: number): ByteSource {
  return {
    size: window.end - start,
    read: (offset, length) => window.read(start + offset, length),
  };
}
