/**
 * The identity that a partition has in its table, as `PARTUUID=` names it. Kernels before 6.13 do not tell it in
 * sysfs. Sources: UEFI specification, "GUID Partition Table (GPT) Disk Layout"; block/partitions/msdos.c.
 */
import { type ByteSource, fieldsOf, hasMagic, magicOf, readWithin } from "./bytes.ts";

const signature = magicOf("EFI PART");
/** Bytes of an entry: 128 times a power of two; nobody has written another than 128. */
const largestEntry = 4096;

/**
 * The UUID of the partition of this number; undefined where the table does not tell it.
 * @param disk The whole disk.
 * @param blockSize Bytes of its logical blocks.
 */
export function partitionUuid(
  disk: ByteSource,
  number: number,
  blockSize: number,
): string | undefined {
  if (!Number.isSafeInteger(number) || number < 1) return undefined;
  return gptUuid(disk, number, blockSize) ?? mbrUuid(disk, number);
}

function gptUuid(disk: ByteSource, number: number, blockSize: number): string | undefined {
  const header = readWithin(disk, blockSize, 92);
  if (header === undefined || !hasMagic(header, 0, signature)) return undefined;
  const fields = fieldsOf(header);
  const [start, count, size] = [Number(fields.u64(72)) * blockSize, fields.u32(80), fields.u32(84)];
  if (number > count || size < 128 || size > largestEntry) return undefined;
  const entry = readWithin(disk, start + (number - 1) * size, 32);
  return entry === undefined ? undefined : guidOf(entry.subarray(16, 32));
}

/** `12345678-9abc-…`: the first three fields are little-endian. */
function guidOf(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const part = (start: number, end: number, reversed: boolean) => {
    const piece = bytes.slice(start, end);
    return (reversed ? piece.reverse() : piece).toHex();
  };
  return [
    part(0, 4, true),
    part(4, 6, true),
    part(6, 8, true),
    part(8, 10, false),
    part(10, 16, false),
  ].join("-");
}

function mbrUuid(disk: ByteSource, number: number): string | undefined {
  const sector = readWithin(disk, 0, 512);
  if (sector === undefined || !hasMagic(sector, 510, [0x55, 0xaa])) return undefined;
  const serial = fieldsOf(sector).u32(440);
  if (serial === 0) return undefined;
  const digits = (value: number, length: number) => value.toString(16).padStart(length, "0");
  return `${digits(serial, 8)}-${digits(number, 2)}`;
}
