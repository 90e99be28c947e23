/** Labels and UUIDs as they are written. */

const utf8 = new TextDecoder();

/** Text up to the first NUL; undefined where there is none. */
export function labelOf(bytes: Uint8Array): string | undefined {
  const end = bytes.indexOf(0);
  const text = utf8.decode(end < 0 ? bytes : bytes.subarray(0, end));
  return text === "" ? undefined : text;
}

/** Sixteen bytes as `01234567-89ab-…`; undefined for the UUID of zeros, which names nothing. */
export function uuidOf(bytes: Uint8Array): string | undefined {
  if (bytes.every((byte) => byte === 0)) return undefined;
  const hex = bytes.toHex();
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ].join("-");
}

/** A FAT's serial number as blkid(8) writes it: `ABCD-0123`. */
export function serialOf(serial: number): string {
  const hex = (serial >>> 0).toString(16).toUpperCase().padStart(8, "0");
  return `${hex.slice(0, 4)}-${hex.slice(4)}`;
}
