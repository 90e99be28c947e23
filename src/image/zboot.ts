/**
 * The EFI_ZBOOT wrapper: a PE file that holds a compressed kernel.
 * Layout: drivers/firmware/efi/libstub/zboot-header.S, include/linux/efi.h
 * (struct linux_efi_zboot_header).
 */

import {
  type ByteSource,
  broken,
  fieldsOf,
  hasMagic,
  head,
  type ImageProblem,
  type ImageSummary,
  isWithin,
  magicOf,
} from "./bytes.ts";
import { type Compression, readCompression } from "./compression.ts";

export interface Zboot {
  readonly kind: "zboot";
  /** The compressed kernel as a range of the file. */
  readonly payload: { readonly offset: number; readonly length: number };
  /** What the header calls the compression, such as `gzip` or `zstd22`; printable ASCII. */
  readonly method: string;
  /** The compression by the payload's own magic; undefined where that is unknown. */
  readonly compression: Compression | undefined;
  readonly fileSize: number;
}

const format = "zboot image";
const headerSize = 0x40;
const dosMagic = magicOf("MZ");
const zimgMagic = magicOf("zimg");

/** Facts of a zboot image; undefined when its magics are not there. */
export function readZboot(source: ByteSource): Zboot | ImageProblem | undefined {
  const bytes = head(source, headerSize);
  if (!hasMagic(bytes, 0, dosMagic) || !hasMagic(bytes, 4, zimgMagic)) return undefined;
  if (bytes.length < headerSize) {
    return broken(format, "kernel-truncated", "the file ends inside the header");
  }
  const header = fieldsOf(bytes);
  const payload = { offset: header.u32(8), length: header.u32(12) };
  const method = header.text(0x18, 32);
  if (payload.length === 0) {
    return broken(format, "malformed-input", "its header announces an empty payload");
  }
  if (payload.offset < headerSize) {
    return broken(format, "malformed-input", "its payload starts inside the header");
  }
  if (!isWithin(source.size, payload.offset, payload.length)) {
    return broken(format, "kernel-truncated", "its payload does not end inside the file");
  }
  return {
    kind: "zboot",
    payload,
    method,
    compression: readCompression(source, payload.offset),
    fileSize: source.size,
  };
}

export function summariseZboot(
  { payload, method, compression }: Zboot,
  machine: string | undefined,
): ImageSummary {
  return {
    format: "zboot",
    facts: {
      payloadOffset: payload.offset,
      payloadLength: payload.length,
      method,
      compression: compression ?? null,
      machine: machine ?? null,
    },
  };
}
