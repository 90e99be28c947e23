/** Files in memory: memfd_create(2), filled by the kernel itself, then sealed. */

import { EINVAL, ENOMEM, errnoName, errnoText } from "../errno.ts";
import { cannot, type KexecError } from "../errors.ts";
import {
  becameShorter,
  callThroughSignals,
  close,
  cString,
  ioError,
  readAt,
  readRange,
  writeAll,
} from "./descriptor.ts";
import { libc } from "./libc.ts";
import { guardMemory, lockError } from "./secret-memory.ts";

// include/uapi/linux/memfd.h
const MFD_CLOEXEC = 1;
const MFD_ALLOW_SEALING = 2;
const MFD_NOEXEC_SEAL = 8;
// include/uapi/linux/fcntl.h
const F_ADD_SEALS = 1033;
const F_SEAL_SEAL = 1;
const F_SEAL_SHRINK = 2;
const F_SEAL_GROW = 4;
const F_SEAL_WRITE = 8;
const F_SEAL_FUTURE_WRITE = 0x10;
// include/uapi/asm-generic/mman-common.h, include/uapi/linux/mman.h
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_PRIVATE = 2;

const SEEK_SET = 0;
const ENOSPC = 28;
/** One call copies at most this, so that progress shows and a signal is seen. */
const COPY_STEP = 8 << 20;
/** Bytes that pass through this process at once where the kernel cannot copy. */
const BUFFER = 1 << 20;
/** Pages are at most 64 KiB (arm64); a mapping must begin at a multiple. */
const LARGEST_PAGE = 1 << 16;

/** Hears how many more bytes were copied. */
export type OnCopied = (bytes: number) => void;

/** An open file and what messages call it. */
export interface NamedDescriptor {
  readonly fd: number;
  readonly path: string;
}

/** A file without a name, which lives as long as this process holds it. */
export class Memfd implements Disposable {
  private end = 0;
  private constructor(
    readonly fd: number,
    /** What messages call it: the path of the file that it stands for. */
    readonly path: string,
  ) {}

  /**
   * `name` is what /proc calls it.
   * @throws KexecError `out-of-memory`, `io-error`
   */
  static create(name: string, path = name): Memfd {
    const flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    let fd = libc().call("memfd_create", cString(name), flags | MFD_NOEXEC_SEAL);
    // Before Linux 6.3 the flag is unknown.
    if (fd === -EINVAL) fd = libc().call("memfd_create", cString(name), flags);
    if (fd < 0) throw memoryError("make a file in memory", -fd);
    return new Memfd(fd, path);
  }

  /** Bytes so far. */
  get size(): number {
    return this.end;
  }

  /** It has no place in a file system. */
  get canonicalPath(): string {
    return this.path;
  }

  /** All of it, as of now. */
  get extents(): readonly [{ fd: number; path: string; offset: number; length: number }] {
    return [{ fd: this.fd, path: this.path, offset: 0, length: this.end }];
  }

  /** Like `InputFile.read`. */
  read(offset: number, length: number, into?: Uint8Array): Uint8Array {
    return readRange(this.fd, this.end, offset, length, "read a file in memory", into).bytes;
  }

  append(bytes: Uint8Array): void {
    if (bytes.byteLength === 0) return;
    this.seek(this.end);
    const result = writeAll(this.fd, bytes);
    if (result < 0) throw memoryError("write to a file in memory", -result);
    this.end += bytes.byteLength;
  }

  /** Appends zeros, which take no memory. */
  appendZeros(length: number): void {
    if (length === 0) return;
    const result = callThroughSignals("ftruncate", this.fd, this.end + length);
    if (result < 0) throw memoryError("extend a file in memory", -result);
    this.end += length;
  }

  /** Cuts the file off at `size`, which must not be beyond its end. */
  shorten(size: number): void {
    if (size < 0 || size > this.end) throw new RangeError(`${size} of ${this.end} bytes`);
    const result = callThroughSignals("ftruncate", this.fd, size);
    if (result < 0) throw ioError("shorten a file in memory", -result);
    this.end = size;
  }

  /**
   * Appends a part of a file, copied by the kernel without passing through this process; by a buffer
   * where the file cannot be spliced (fs/splice.c: EINVAL).
   * @throws KexecError `file-changed` when the file became shorter, `out-of-memory`, `io-error`
   */
  appendFile(file: NamedDescriptor, offset: number, length: number, onCopied?: OnCopied): void {
    this.seek(this.end);
    const position = new BigInt64Array([BigInt(offset)]);
    const positionBytes = new Uint8Array(position.buffer);
    let done = 0;
    let spliced = true;
    while (done < length) {
      const step = Math.min(COPY_STEP, length - done);
      const got = spliced
        ? callThroughSignals("sendfile", this.fd, file.fd, positionBytes, step)
        : this.copyThrough(file.fd, offset + done, step);
      if (got === -EINVAL && spliced) {
        spliced = false;
        continue;
      }
      if (got < 0) throw memoryError(`copy ${file.path}`, -got);
      if (got === 0) throw cannot(`copy ${file.path}`, becameShorter);
      done += got;
      onCopied?.(got);
    }
    this.end += length;
  }

  /** @returns the bytes copied, 0 at the end of the file, or -errno */
  private copyThrough(fd: number, offset: number, length: number): number {
    const buffer = new Uint8Array(Math.min(length, BUFFER));
    const got = readAt(fd, buffer, offset);
    if (got <= 0) return got;
    const put = writeAll(this.fd, buffer.subarray(0, got));
    return put < 0 ? put : got;
  }

  /**
   * From here on nobody can change, grow or shrink the file, by whatever mapping: F_SEAL_WRITE is
   * refused where a shared one exists (mm/memfd.c, memfd_add_seals).
   */
  seal(): void {
    this.addSeals(F_SEAL_WRITE);
  }

  /**
   * As `seal`, but for the windows that were opened before: the only way to overwrite a secret past
   * the seal (F_SEAL_FUTURE_WRITE, Linux 5.1).
   */
  sealAroundSecrets(): void {
    this.addSeals(F_SEAL_FUTURE_WRITE);
  }

  private addSeals(write: number): void {
    const seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | write;
    const result = callThroughSignals("fcntl", this.fd, F_ADD_SEALS, seals);
    if (result < 0) throw memoryError("seal a file in memory", -result);
  }

  /** Maps a part of the file to read it. Private: no mapping that a seal would have to wait for. */
  window(offset: number, length: number): Window {
    return this.map(offset, length, PROT_READ, MAP_PRIVATE);
  }

  /**
   * Maps a part of the file to write a secret into it, and past the seal to overwrite it. Its pages
   * are locked: those of a memfd would be swapped out like any others.
   * @throws KexecError `out-of-memory`
   */
  secretWindow(offset: number, length: number): Window {
    return this.map(offset, length, PROT_READ | PROT_WRITE, MAP_SHARED);
  }

  private map(offset: number, length: number, protection: number, sharing: number): Window {
    const start = Math.floor(offset / LARGEST_PAGE) * LARGEST_PAGE;
    const mapped = offset - start + length;
    const address = libc().call("mmap", 0, mapped, protection, sharing, this.fd, start);
    if (address < 0) throw memoryError("map a file in memory", -address);
    const guarded = protection === PROT_READ ? 0 : guardMemory(address, mapped);
    if (guarded < 0) {
      libc().call("munmap", address, mapped);
      throw lockError(-guarded);
    }
    const bytes = libc()
      .memory(address, mapped)
      .subarray(offset - start);
    return {
      bytes,
      [Symbol.dispose]: () => {
        libc().call("munmap", address, mapped);
      },
    };
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }

  private seek(position: number): void {
    const result = libc().call("lseek", this.fd, position, SEEK_SET);
    if (result < 0) throw ioError("write to a file in memory", -result);
  }
}

/** Bytes of a mapped file; they must not be touched after disposal. */
export interface Window extends Disposable {
  readonly bytes: Uint8Array;
}

function memoryError(doing: string, errno: number): KexecError {
  if (errno !== ENOMEM && errno !== ENOSPC) return ioError(doing, errno);
  return cannot(
    doing,
    {
      code: "out-of-memory",
      why: errnoText(errno).toLowerCase(),
      hint: "free memory, or use a smaller initramfs",
    },
    { errno: errnoName(errno) },
  );
}
