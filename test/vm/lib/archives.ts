/** Initramfs archives in every format that the kernel unpacks, of every length that could trouble it. */
import { randomBytes } from "node:crypto";
import { type CpioEntry, encodeArchive } from "../../../src/initramfs/cpio.ts";

export const formats = ["plain", "gzip", "xz", "zstd", "lz4-legacy", "bzip2", "lzma"] as const;
export type Format = (typeof formats)[number];

/** What is left over of a length: 0 to 3 modulo four, or an exact multiple of 512. */
export type Residue = 0 | 1 | 2 | 3 | 512;
const residues: readonly Residue[] = [0, 1, 2, 3, 512];

/** The tools as people call them for the kernel; it checks nothing but CRC-32 (lib/xz). */
const commands: Readonly<Partial<Record<Format, readonly string[]>>> = {
  xz: ["xz", "-1", "--check=crc32", "-c"],
  "lz4-legacy": ["lz4", "-l", "-1", "-c", "-"],
  bzip2: ["bzip2", "-1", "-c"],
  lzma: ["xz", "-1", "--format=lzma", "-c"],
};

/** An xz file is padded to four bytes (xz-file-format.txt, 2.2), so it leaves nothing over. */
export function residuesOf(format: Format): readonly Residue[] {
  return format === "xz" ? [0, 512] : residues;
}

/** An archive with these entries whose length leaves `residue`. */
export function archiveOf(
  format: Format,
  residue: Residue,
  entries: readonly CpioEntry[],
): Uint8Array {
  const fits = (size: number) => (residue === 512 ? size % 512 === 0 : size % 4 === residue);
  let filler = Buffer.from(randomBytes(16 + Math.floor(Math.random() * 16)));
  for (let attempt = 0; attempt < 2000; attempt++) {
    const plain = encodeArchive([...entries, { type: "file", path: ".filler", data: filler }]);
    const bytes = format === "plain" ? padded(plain, residue) : compress(format, plain);
    if (fits(bytes.length)) return bytes;
    // Random bytes do not compress: one more makes the archive about one longer.
    const missing = residue === 512 ? 512 - (bytes.length % 512) : 1;
    filler = Buffer.concat([filler, randomBytes(missing > 16 ? missing - 8 : 1)]);
  }
  throw new Error(`no ${format} archive of a length that leaves ${residue}`);
}

/** NULs behind a plain archive belong to it as far as anybody can tell. */
function padded(plain: Uint8Array, residue: Residue): Uint8Array {
  const size =
    residue === 512
      ? Math.ceil(plain.length / 512) * 512
      : Math.ceil(plain.length / 4) * 4 + residue;
  const bytes = new Uint8Array(size);
  bytes.set(plain);
  return bytes;
}

/** An archive as `lz4` writes it unless told otherwise. */
export function lz4Frame(entries: readonly CpioEntry[]): Uint8Array {
  return piped(["lz4", "-1", "-c", "-"], encodeArchive(entries));
}

export function compress(format: Exclude<Format, "plain">, bytes: Uint8Array): Uint8Array {
  if (format === "gzip") return Bun.gzipSync(new Uint8Array(bytes));
  if (format === "zstd") return Bun.zstdCompressSync(new Uint8Array(bytes));
  const command = commands[format];
  if (command === undefined) throw new Error(`nothing compresses ${format}`);
  return piped(command, bytes);
}

function piped(command: readonly string[], bytes: Uint8Array): Uint8Array {
  const child = Bun.spawnSync([...command], { stdin: bytes });
  if (!child.success) throw new Error(`${command.join(" ")}: ${child.stderr}`);
  return child.stdout;
}
