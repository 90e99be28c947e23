/** A disk or a partition as bytes to read. */
import { callThroughSignals, close, ioError, O_RDONLY, open, readAt } from "./descriptor.ts";

const SEEK_END = 2;

/** It reads like a `ByteSource` of image/bytes.ts. Dispose of it to close it. */
export interface OpenDevice extends Disposable {
  readonly size: number;
  read(offset: number, length: number): Uint8Array;
}

/** Opens a device for reading; -errno where it cannot be. */
export function openDevice(path: string): OpenDevice | number {
  const fd = open(path, O_RDONLY);
  if (fd < 0) return fd;
  const size = callThroughSignals("lseek", fd, 0, SEEK_END);
  if (size < 0) {
    close(fd);
    return size;
  }
  return {
    size,
    read(offset, length) {
      if (offset < 0 || length < 0 || offset + length > size) {
        throw new RangeError(`bytes ${offset}+${length} are outside of a device of ${size}`);
      }
      const buffer = new Uint8Array(length);
      const got = length === 0 ? 0 : readAt(fd, buffer, offset);
      if (got < 0) throw ioError(`read ${path}`, -got, path);
      return buffer;
    },
    [Symbol.dispose]: () => close(fd),
  };
}
