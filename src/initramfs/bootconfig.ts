/**
 * The boot configuration at the end of an initramfs, which the kernel cuts off
 * before it unpacks: Documentation/admin-guide/bootconfig.rst,
 * get_boot_config_from_initrd in init/main.c.
 *
 *     [archive][bootconfig, zeros][size le32][sum of its bytes le32]#BOOTCONFIG\n
 */
import {
  type ByteSource,
  broken,
  fieldsOf,
  hasMagic,
  type ImageProblem,
  magicOf,
  readWithin,
} from "../image/bytes.ts";

/** Where a bootconfig lies in its file. */
export interface Bootconfig {
  readonly kind: "bootconfig";
  /** First byte; the archive ends here. */
  readonly offset: number;
  /** Bytes from there to the end of the magic. */
  readonly length: number;
}

const format = "bootconfig";
const magic = magicOf("#BOOTCONFIG\n");
/** Size and checksum. */
const headerLength = 8;
/** Boot loaders align the size to 4, so the kernel looks for the magic up to 3 bytes further in. */
const maxTrailing = 3;
/** XBC_DATA_MAX of include/linux/bootconfig.h: the kernel reads no larger one. */
const maxData = 32 * 1024 - 1;

/** The bootconfig at the end of a file; undefined where there is none. */
export function readBootconfig(source: ByteSource): Bootconfig | ImageProblem | undefined {
  const malformed = (problem: string) => broken(format, "malformed-input", problem);
  const magicAt = findMagic(source);
  if (magicAt === undefined) return undefined;

  const header = readWithin(source, magicAt - headerLength, headerLength);
  if (header === undefined) return malformed("there is no room for its header");
  const fields = fieldsOf(header);
  const size = fields.u32(0);
  const sum = fields.u32(4);
  if (size > maxData) return malformed(`it is larger than the kernel's limit of ${maxData} bytes`);
  const offset = magicAt - headerLength - size;
  const data = readWithin(source, offset, size);
  if (data === undefined) return malformed("its size is larger than the file");
  // xbc_calc_checksum: the bytes added up modulo 2^32, which 32 KiB cannot reach.
  if (data.reduce((total, byte) => total + byte, 0) !== sum) {
    return malformed("its checksum does not match");
  }
  return { kind: "bootconfig", offset, length: magicAt + magic.length - offset };
}

function findMagic(source: ByteSource): number | undefined {
  const length = Math.min(source.size, magic.length + maxTrailing);
  const end = source.read(source.size - length, length);
  for (let at = length - magic.length; at >= 0; at--) {
    if (hasMagic(end, at, magic)) return source.size - length + at;
  }
  return undefined;
}
