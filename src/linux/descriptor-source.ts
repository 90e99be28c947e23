/** An open file of any kind as bytes to read: a memfd, or a file whose name no longer counts. */
import { ioError, readAt } from "./descriptor.ts";
import { statusOf } from "./file.ts";

/** It reads like a `ByteSource` of image/bytes.ts. */
export interface DescriptorSource {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** The file behind a descriptor as of now; undefined where it is no regular file. */
export function descriptorSource(fd: number): DescriptorSource | undefined {
  const status = statusOf(fd);
  if (typeof status === "number" || status.type !== "regular file") return undefined;
  const { size } = status;
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset}+${length} are outside of a file of ${size}`);
      }
      const buffer = new Uint8Array(length);
      if (length === 0) return buffer;
      const got = readAt(fd, buffer, offset);
      // What the file lost while it was read is taken for zeros: no check passes on them.
      if (got < 0) throw ioError("read an image again", -got);
      return buffer;
    },
  };
}
