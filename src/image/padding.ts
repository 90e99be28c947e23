/** Where a signed PE file ends, when something has filled it up behind its signature. */
import { type ByteSource, isWithin } from "./bytes.ts";
import type { PeImage } from "./pe.ts";

const piece = 1 << 20;

/**
 * Bytes of the file without the zeros that follow its certificate table; all of it where it has no
 * such table, or where anything else follows it. EFI_ZBOOT fills a kernel up to its size in memory
 * before it is compressed (drivers/firmware/efi/libstub/Makefile.zboot), and a digest that covers
 * the filling is not the one that was signed (crypto/asymmetric_keys/verify_pefile.c,
 * pefile_digest_pe_contents).
 */
export function sizeWithoutPadding(source: ByteSource, pe: PeImage): number {
  const table = pe.certificateTable;
  if (table === undefined || !isWithin(source.size, table.offset, table.size)) return source.size;
  const end = table.offset + table.size;
  for (let at = end; at < source.size; at += piece) {
    const bytes = source.read(at, Math.min(piece, source.size - at));
    if (bytes.some((byte) => byte !== 0)) return source.size;
  }
  return end;
}
