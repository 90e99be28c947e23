/** What the kernel itself says of a file's fs-verity digest: Documentation/filesystems/fsverity.rst. */
import { callThroughSignals } from "./descriptor.ts";

/** _IOWR('f', 134, struct fsverity_digest): include/uapi/linux/fsverity.h. */
const FS_IOC_MEASURE_VERITY = 0xc0046686;
const FS_VERITY_HASH_ALG_SHA256 = 1;
const digestSize = 32;

/**
 * File systems whose fs-verity is the kernel's own work, by f_type (include/uapi/linux/magic.h). A FUSE server
 * answers the same ioctl with what it likes.
 */
const own: ReadonlySet<number> = new Set([0xef53, 0x9123683e, 0xf2f52010]);

/**
 * The fs-verity digest by which the kernel checks every page that is read through this descriptor.
 * @returns `sha256:` and 64 hex digits; undefined where the file has none, or one by another algorithm, or lies
 *   on a file system whose word does not count
 */
export function measureVerity(fd: number): `sha256:${string}` | undefined {
  // struct statfs begins with f_type, a long on both architectures (include/uapi/asm-generic/statfs.h).
  const status = new Uint8Array(120);
  if (callThroughSignals("fstatfs", fd, status) < 0) return undefined;
  const type = Number(new DataView(status.buffer).getBigUint64(0, true) & 0xffff_ffffn);
  if (!own.has(type)) return undefined;
  // struct fsverity_digest: u16 algorithm, u16 size (in: room, out: length), the digest
  const digest = new Uint8Array(4 + 64);
  const view = new DataView(digest.buffer);
  view.setUint16(2, 64, true);
  if (callThroughSignals("ioctl", fd, FS_IOC_MEASURE_VERITY, digest) < 0) return undefined;
  if (view.getUint16(0, true) !== FS_VERITY_HASH_ALG_SHA256) return undefined;
  if (view.getUint16(2, true) !== digestSize) return undefined;
  return `sha256:${digest.subarray(4, 4 + digestSize).toHex()}`;
}
