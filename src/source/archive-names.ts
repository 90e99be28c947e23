/** Names in an initramfs, as far as they can be had at little cost. */
import { identifyArchive } from "../initramfs/archive.ts";
import type { OpenFile } from "./open-file.ts";

const piece = 256 << 10;
const headerSize = 110;
const longestName = 4096;

/** Hears of an entry; data only of those that are wanted. True: it needs to hear no more. */
export type Take = (name: string, data: Uint8Array | undefined) => boolean;

/** Largest file whose data is given. */
const mostData = 256 << 10;

/** How far an archive is looked through. */
export interface Extent {
  /** Names of the regular files whose data is wanted, which are small. */
  readonly wanted: RegExp;
  /** Bytes of an unpacked archive, and of its packed form. */
  readonly mostUnpacked: number;
  readonly mostPacked: number;
}

/** With what the kernel has in it and needs no module for. */
const usualExtent: Extent = {
  wanted: /(?:^|\/)modules\.builtin$/,
  mostUnpacked: 256 << 20,
  mostPacked: 128 << 20,
};

/**
 * Calls `take` with the name of each entry until it returns true, or the archive ends or breaks a rule:
 * then nothing more is to be learned. Microcode in front of a compressed archive is passed over.
 * @returns whether the archive was read to its end, or `take` returned true
 */
export async function archiveNames(
  file: OpenFile,
  take: Take,
  extent: Extent = usualExtent,
): Promise<boolean> {
  let start = 0;
  // Plain archives may stand before the compressed one: main ones, microcode.
  for (let members = 0; members < 16 && start < file.size; members++) {
    const beginning = file.read(start, Math.min(512, file.size - start));
    const { kind } = identifyArchive(beginning);
    const zeros = beginning.findIndex((byte) => byte !== 0);
    if (zeros < 0) {
      start += beginning.length;
      continue;
    }
    start += zeros;
    if (kind === "newc" || kind === "newc-checksum") {
      const walk = new Walk(take, extent.wanted);
      while (walk.state === "reading" && start < file.size) {
        const left = file.size - start;
        const first = file.read(start, Math.min(headerSize + longestName, left));
        const bytes = file.read(start, Math.min(walk.needs(first), left));
        const step = walk.entry(bytes);
        if (step === undefined) return false;
        start += step;
      }
      if (walk.state === "found") return true;
      continue;
    }
    if (kind !== "gzip" && kind !== "zstd") return false;
    return unpackedNames(file, start, kind, take, extent);
  }
  return start >= file.size;
}

/** Reads entries at the beginning of what it is given. */
class Walk {
  state: "reading" | "found" | "ended" = "reading";

  constructor(
    private readonly take: Take,
    private readonly wanted: RegExp,
  ) {}

  /** Bytes to have before `entry` is called, by the first of them. */
  needs(bytes: Uint8Array): number {
    const parsed = parse(bytes, this.wanted);
    return Math.max(
      headerSize + longestName,
      parsed?.wanted === true ? parsed.data + parsed.size : 0,
    );
  }

  /** Bytes of the entry with its data and padding; undefined where it is none. */
  entry(bytes: Uint8Array): number | undefined {
    const parsed = parse(bytes, this.wanted);
    if (parsed === undefined) return undefined;
    const { name, data, size, wanted } = parsed;
    if (name === "TRAILER!!!") this.state = "ended";
    else if (this.take(name, wanted ? bytes.subarray(data, data + size) : undefined)) {
      this.state = "found";
    }
    return data + padded(size);
  }
}

/** A header and the name behind it; undefined where there is none. */
function parse(bytes: Uint8Array, wantedData: RegExp) {
  const header = String.fromCharCode(...bytes.subarray(0, headerSize));
  if (!/^07070[12][0-9a-fA-F]{104}$/.test(header)) return undefined;
  const field = (index: number) => Number.parseInt(header.slice(6 + index * 8, 14 + index * 8), 16);
  const [mode, size, nameSize] = [field(1), field(6), field(11)];
  const whole = headerSize + nameSize;
  if (nameSize === 0 || nameSize > longestName || bytes.length < whole) return undefined;
  const name = new TextDecoder()
    .decode(bytes.subarray(headerSize, whole - 1))
    .replace(/^\.?\//, "");
  const wanted = isRegular(mode) && size <= mostData && wantedData.test(name);
  return { name, size, data: padded(whole), wanted };
}

/** S_IFMT and S_IFREG of include/uapi/linux/stat.h. */
function isRegular(mode: number): boolean {
  return (mode & 0o170000) === 0o100000;
}

function padded(length: number): number {
  return Math.ceil(length / 4) * 4;
}

async function unpackedNames(
  file: OpenFile,
  start: number,
  compression: "gzip" | "zstd",
  take: Take,
  { wanted, mostUnpacked, mostPacked }: Extent,
): Promise<boolean> {
  const stream = new DecompressionStream(compression);
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  const end = Math.min(file.size, start + mostPacked);
  const feed = async () => {
    for (let at = start; at < end; at += piece) {
      await writer.write(Uint8Array.from(file.read(at, Math.min(piece, end - at))));
    }
    await writer.close();
  };
  const fed = feed().catch(() => undefined);
  const walk = new Walk(take, wanted);
  let rest: Uint8Array = new Uint8Array();
  let skip = 0;
  try {
    for (let total = 0; total < mostUnpacked; ) {
      const { done, value } = await reader.read();
      if (done) break;
      total += value.byteLength;
      if (skip >= value.byteLength) {
        skip -= value.byteLength;
        continue;
      }
      rest = joined(rest, value.subarray(skip));
      skip = 0;
      while (walk.state === "reading" && rest.length >= walk.needs(rest)) {
        const step = walk.entry(rest);
        if (step === undefined) return false;
        skip = Math.max(0, step - rest.length);
        rest = rest.subarray(Math.min(step, rest.length));
      }
      if (walk.state !== "reading") return true;
    }
    // The last entries are shorter than what is waited for above.
    while (walk.state === "reading" && rest.length > 0) {
      const step = walk.entry(rest);
      if (step === undefined) return false;
      rest = rest.subarray(Math.min(step, rest.length));
    }
    return walk.state !== "reading";
  } catch {
    // What cannot be unpacked tells nothing; the kernel's own word on it comes later.
    return false;
  } finally {
    await reader.cancel().catch(() => undefined);
    await writer.abort().catch(() => undefined);
    await fed;
  }
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const both = new Uint8Array(one.length + other.length);
  both.set(one);
  both.set(other, one.length);
  return both;
}
