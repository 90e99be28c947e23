/** What an initramfs archive is, by its first bytes, and whether the kernel can unpack it. */
import { bytesOf, hasMagic, magicOf } from "../image/bytes.ts";
import { type Compression, readCompression } from "../image/compression.ts";

export type ArchiveKind = Compression | "newc" | "newc-checksum" | "odc" | "old-binary" | "unknown";

export interface Archive {
  readonly kind: ArchiveKind;
  /** Whether a kernel with the right options unpacks it; if not, it stops there. */
  readonly kernelReads: boolean;
  /** The option that a kernel needs for it: usr/Kconfig. Undefined for a plain archive. */
  readonly option: string | undefined;
}

/** Bytes at the start of a file that `identifyArchive` wants to see, or all there are. */
export const archiveHeadLength = 512;

const plain: readonly (readonly [ArchiveKind, readonly number[]])[] = [
  // do_header of init/initramfs.c takes the first two and names the third in its refusal.
  ["newc", magicOf("070701")],
  ["newc-checksum", magicOf("070702")],
  ["odc", magicOf("070707")],
  // 0o070707 as a 16-bit number of either order.
  ["old-binary", [0xc7, 0x71]],
  ["old-binary", [0x71, 0xc7]],
];

/** compressed_formats of lib/decompress.c, which has no lz4 frames. */
const options: Readonly<Record<Compression, string | undefined>> = {
  gzip: "CONFIG_RD_GZIP",
  bzip2: "CONFIG_RD_BZIP2",
  lzma: "CONFIG_RD_LZMA",
  xz: "CONFIG_RD_XZ",
  lzo: "CONFIG_RD_LZO",
  "lz4-legacy": "CONFIG_RD_LZ4",
  zstd: "CONFIG_RD_ZSTD",
  lz4: undefined,
};

/** Second byte of the magic of a skippable frame, RFC 8878, 3.1.2; no format has it there. */
const skippable = 0x2a;

/**
 * Identifies an archive that starts 4-byte aligned. Zeros in front are skipped
 * as the kernel does (unpack_to_rootfs). `unknown` is not an error: the kernel
 * decides, and whatever follows such an archive is not unpacked.
 * @param head The first `archiveHeadLength` bytes, or all there are.
 */
export function identifyArchive(head: Uint8Array): Archive {
  let start = 0;
  while (head[start] === 0) start++;
  if (start === head.length) return { kind: "unknown", kernelReads: false, option: undefined };
  for (const [kind, magic] of plain) {
    if (!hasMagic(head, start, magic)) continue;
    // A plain archive is looked for at multiples of four only.
    const kernelReads = (kind === "newc" || kind === "newc-checksum") && start % 4 === 0;
    return { kind, kernelReads, option: undefined };
  }
  const compression = readCompression(bytesOf(head.subarray(start)));
  if (compression === undefined) return { kind: "unknown", kernelReads: false, option: undefined };
  const option = options[compression];
  // The kernel's table knows no skippable frame, with which pzstd begins its files.
  const kernelReads = option !== undefined && head[start + 1] !== skippable;
  return { kind: compression, kernelReads, option };
}
