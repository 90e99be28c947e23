/** Whether modules are in an initramfs: its archives are unpacked for a look, as far as that goes. */

import type { ByteSource } from "../../image/bytes.ts";
import { readCompression } from "../../image/compression.ts";

/** Bytes of one archive that are unpacked for it. */
const most = 512 << 20;
const piece = 1 << 20;

/**
 * Which of the modules are there: their files are called `NAME.ko`, `.ko.xz`, `.ko.zst`, with `-` for `_` or not.
 * @returns undefined where an archive could not be looked through and they are not in the others
 */
export async function archivedModules(
  archives: readonly ByteSource[],
  names: readonly string[],
): Promise<(name: string) => boolean | undefined> {
  const found = new Set<string>();
  let all = true;
  for (const archive of archives) {
    if (!(await lookThrough(archive, names, found))) all = false;
  }
  return (name) => (found.has(name) ? true : all ? false : undefined);
}

/** @returns whether all of it was seen */
async function lookThrough(
  archive: ByteSource,
  names: readonly string[],
  found: Set<string>,
): Promise<boolean> {
  const look = lookerFor(names, found);
  // Plain ones in front, as microcode is, are searched as they are.
  const at = compressedAt(archive);
  for (let from = 0; from < (at?.offset ?? archive.size); from += piece) {
    look(archive.read(from, Math.min(piece, (at?.offset ?? archive.size) - from)));
  }
  if (at === undefined) return true;
  const { offset, compression } = at;
  if (compression !== "gzip" && compression !== "zstd") return false;
  const { readable, writable } = new DecompressionStream(compression);
  const writer = writable.getWriter();
  const feed = async () => {
    for (let from = offset; from < archive.size; from += piece) {
      await writer.write(Uint8Array.from(archive.read(from, Math.min(piece, archive.size - from))));
    }
    await writer.close();
  };
  const fed = feed().catch(() => undefined);
  const reader = readable.getReader();
  let unpacked = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      unpacked += value.byteLength;
      look(value);
      if (unpacked > most) return false;
    }
  } catch {
    // Padding or another archive follows, and what is in that was not seen.
    return false;
  } finally {
    reader.cancel().catch(() => undefined);
    await fed;
  }
  return unpacked > 0;
}

/** Where the first compressed archive begins; behind plain ones it does at a multiple of four. */
function compressedAt(archive: ByteSource) {
  for (const offset of [0, ...behindPlain(archive)]) {
    const compression = readCompression(archive, offset);
    if (compression !== undefined) return { offset, compression };
  }
  return undefined;
}

const trailer = "TRAILER!!!";
/** Plain archives in front of a compressed one: microcode, ACPI tables. */
const mostPlain = 4;

function behindPlain(archive: ByteSource): readonly number[] {
  const places: number[] = [];
  let from = 0;
  let kept: Uint8Array = new Uint8Array();
  while (from < archive.size && places.length < mostPlain) {
    const length = Math.min(piece, archive.size - from);
    const bytes = Buffer.concat([kept, archive.read(from, length)]);
    const start = from - kept.length;
    const at = bytes.indexOf(trailer);
    if (at >= 0) {
      let next = start + at + trailer.length;
      next = skipZeros(archive, next);
      if (next >= archive.size) break;
      places.push(next);
      from = next;
      kept = new Uint8Array();
      continue;
    }
    kept = bytes.subarray(Math.max(0, bytes.length - trailer.length));
    from += length;
  }
  return places;
}

function skipZeros(archive: ByteSource, from: number): number {
  for (let at = from; at < archive.size; at += 4096) {
    const bytes = archive.read(at, Math.min(4096, archive.size - at));
    const found = bytes.findIndex((byte) => byte !== 0);
    if (found >= 0) return at + found;
  }
  return archive.size;
}

function lookerFor(names: readonly string[], found: Set<string>): (bytes: Uint8Array) => void {
  const files = names.map((name) => {
    // Linux 6.13 renamed one.
    const called = name === "cirrus" ? [name, "cirrus-qemu"] : [name];
    const spellings = new Set(
      called.flatMap((one) => [one, one.replaceAll("-", "_"), one.replaceAll("_", "-")]),
    );
    return { name, texts: [...spellings].map((spelling) => `/${spelling}.ko`) };
  });
  const longest = Math.max(1, ...files.flatMap(({ texts }) => texts.map(({ length }) => length)));
  let kept: Uint8Array = new Uint8Array();
  return (piece) => {
    const bytes = Buffer.concat([kept, piece]);
    for (const { name, texts } of files) {
      if (texts.some((text) => bytes.includes(text))) found.add(name);
    }
    kept = bytes.subarray(Math.max(0, bytes.length - longest));
  };
}
