/** Memory for a secret: locked, left out of core dumps, overwritten before it is given back. */

import { EAGAIN, EBADF, errnoName, errnoText } from "../errno.ts";
import { cannot, type KexecError } from "../errors.ts";
import { callThroughSignals, close, ioError, O_NONBLOCK, O_RDONLY, open } from "./descriptor.ts";

import { libc } from "./libc.ts";
import { type FileStatus, openError, readLink, statusOf, statusOfPath } from "./path.ts";
import { isInit } from "./reboot.ts";

// include/uapi/asm-generic/mman-common.h
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;
const MADV_DONTFORK = 10;
const MADV_DONTDUMP = 16;
// include/uapi/linux/prctl.h, include/uapi/asm-generic/resource.h
const PR_SET_DUMPABLE = 4;
const RLIMIT_CORE = 4;
// include/uapi/asm-generic/ioctls.h
const TCGETS = 0x5401;

/** Pages are at most 64 KiB (arm64). */
const PAGE = 1 << 16;

/** Where to read from: an open descriptor, or a path to open. */
export type SecretInput = { readonly fd: number } | { readonly path: string };

/**
 * Makes this process unreadable for others of the same user, and keeps it out of core dumps.
 * It lasts as long as the process.
 */
export function protectProcess(): void {
  libc().call("prctl", PR_SET_DUMPABLE, 0);
  libc().call("setrlimit", RLIMIT_CORE, new Uint8Array(16));
}

/**
 * Refuses what can be seen to be no source of a secret, before it is read. Descriptors are looked at
 * before this process opens files: a number that the caller left closed would be one of them later.
 * @throws KexecError as `SecretMemory.read`
 */
export function checkSecretSource(input: SecretInput, name: string, limit: number): void {
  if ("fd" in input) {
    expectedSize(statusOfGiven(input.fd), name, limit);
    return;
  }
  const status = statusOfPath(input.path);
  if (typeof status === "number") throw openError(input.path, "secret", -status);
  expectedSize(status, name, limit);
}

/** Locks memory, and keeps it out of core dumps and of children. @returns 0, or -errno */
export function guardMemory(address: number, length: number): number {
  for (const [name, argument] of [
    ["madvise", MADV_DONTDUMP],
    ["madvise", MADV_DONTFORK],
    ["mlock", 0],
  ] as const) {
    const result = libc().call(name, address, length, argument);
    if (result < 0) return result;
  }
  return 0;
}

/** A secret in memory of its own. Dispose of it to overwrite it. */
export class SecretMemory implements Disposable {
  private constructor(
    private readonly address: number,
    private readonly mapped: number,
    /** Bytes of the secret. */
    readonly size: number,
  ) {}

  /**
   * Reads a secret straight into locked memory. `name` stands for it in messages; the value never
   * does. `interrupted` is asked while it waits for input.
   * @throws KexecError `file-not-found`, `file-unreadable`, `not-a-regular-file`, `file-too-large`,
   *   `file-changed`, `out-of-memory`, `io-error`
   */
  static async read(
    input: SecretInput,
    name: string,
    limit: number,
    interrupted: () => boolean,
  ): Promise<SecretMemory> {
    const fd = "fd" in input ? input.fd : openSecret(input.path);
    try {
      const status = "fd" in input ? statusOfGiven(fd) : statusOf(fd);
      const expected = expectedSize(status, name, limit);
      if (typeof status !== "number" && status.type === "character device" && isTerminal(fd)) {
        throw cannot(`read the secret ${name}`, {
          code: "not-a-regular-file",
          why: "it is a terminal, which would show what is typed",
          hint: "redirect it from a file or a pipe",
        });
      }
      // One byte more than the limit, to see that there is more.
      const mapped = Math.ceil((limit + 1) / PAGE) * PAGE;
      const address = lockedMemory(mapped);
      let size = 0;
      try {
        size = await readInto(fd, address, limit, name, interrupted);
        // Files of /proc and /sys have other sizes than bytes, but they do not change while read.
        if (expected !== undefined && size !== expected && hasChanged(fd, expected)) {
          throw cannot(`read the secret ${name}`, {
            code: "file-changed",
            why: "the file changed its size while it was read",
            hint: "wait until whatever writes it has finished",
          });
        }
        if (size === 0) {
          throw cannot(`use the secret ${name}`, { code: "file-empty", why: "it is empty" });
        }
      } catch (error) {
        wipe(address, mapped);
        throw error;
      }
      return new SecretMemory(address, mapped, size);
    } finally {
      if (!("fd" in input)) close(fd);
    }
  }

  /** A copy of bytes, which must not be none. @throws KexecError `out-of-memory` */
  static holding(bytes: Uint8Array): SecretMemory {
    const mapped = Math.ceil(bytes.length / PAGE) * PAGE;
    const address = lockedMemory(mapped);
    libc().memory(address, bytes.length).set(bytes);
    return new SecretMemory(address, mapped, bytes.length);
  }

  /** Copies the secret from memory to memory; nothing of it enters the JavaScript heap. */
  copyTo(target: Uint8Array): void {
    target.set(libc().memory(this.address, this.size));
  }

  [Symbol.dispose](): void {
    wipe(this.address, this.mapped);
  }
}

function openSecret(path: string): number {
  const fd = open(path, O_RDONLY | O_NONBLOCK);
  if (fd < 0) throw openError(path, "secret", -fd);
  return fd;
}

/**
 * The status of a descriptor that the caller names, or -errno. The caller may have left the number
 * closed, and the runtime taken it since. What the runtime keeps open is told by what it is, as its
 * numbers are anybody's and it marks those of the caller close-on-exec too: anonymous inodes, which
 * are no files; files about this process below /proc, which are not there for anybody else; and
 * /dev/urandom, which never ends (src/main.ts under an unpatched runtime).
 */
export function statusOfGiven(fd: number): FileStatus | number {
  const path = readLink(`/proc/self/fd/${fd}`);
  const isRuntimes = typeof path === "string" && /^\/(proc\/\d+\/|dev\/urandom$)/.test(path);
  return isRuntimes ? -EBADF : statusOf(fd);
}

/** The size that a regular file must have in the end. @throws KexecError where it cannot be read */
function expectedSize(
  status: FileStatus | number,
  name: string,
  limit: number,
): number | undefined {
  if (typeof status === "number") {
    throw cannot(
      `read the secret ${name}`,
      {
        code: "file-unreadable",
        why: errnoText(-status).toLowerCase(),
        hint: "the descriptor must be open in this process: check the redirection",
      },
      { errno: errnoName(-status) },
    );
  }
  // An unknown kind is an anonymous inode: the runtime's own eventfd, which never has anything.
  if (["directory", "block device", "unknown kind of file"].includes(status.type)) {
    throw cannot(`read the secret ${name}`, {
      code: "not-a-regular-file",
      why: `it is ${status.type === "unknown kind of file" ? "not a file" : `a ${status.type}`}`,
    });
  }
  if (status.type !== "regular file") return undefined;
  if (status.size > limit) throw tooLarge(name, limit);
  return status.size;
}

function hasChanged(fd: number, expected: number): boolean {
  const status = statusOf(fd);
  return typeof status === "number" || status.size !== expected;
}

function isTerminal(fd: number): boolean {
  return libc().call("ioctl", fd, TCGETS, new Uint8Array(64)) === 0;
}

function lockedMemory(length: number): number {
  const flags = MAP_PRIVATE | MAP_ANONYMOUS;
  const address = libc().call("mmap", 0, length, PROT_READ | PROT_WRITE, flags, -1, 0);
  if (address < 0) throw lockError(-address);
  const result = guardMemory(address, length);
  if (result === 0) return address;
  libc().call("munmap", address, length);
  throw lockError(-result);
}

/** Why memory for a secret could not be guarded. */
export function lockError(errno: number): KexecError {
  return cannot(
    "lock memory for a secret",
    {
      code: "out-of-memory",
      why: errnoText(errno).toLowerCase(),
      hint: "run as root, or raise the limit of locked memory (ulimit -l)",
    },
    { errno: errnoName(errno) },
  );
}

async function readInto(
  fd: number,
  address: number,
  limit: number,
  name: string,
  interrupted: () => boolean,
): Promise<number> {
  let size = 0;
  for (;;) {
    await untilReadable(fd, interrupted);
    const got = callThroughSignals("read", fd, address + size, limit + 1 - size);
    if (got === -EAGAIN) continue;
    if (got < 0) throw ioError(`read the secret ${name}`, -got);
    if (got === 0) return size;
    size += got;
    if (size > limit) throw tooLarge(name, limit);
  }
}

const POLLIN_HUP_ERR = 0x19; // include/uapi/asm-generic/poll.h

/** As the first process of a machine nobody can be told that it waits: milliseconds until it gives up. */
const longestWaitOfInit = 30_000;

/** A blocking read would keep this process deaf to signals, so it is made only when it will not wait. */
async function untilReadable(fd: number, interrupted: () => boolean): Promise<void> {
  const poll = new Uint8Array(8);
  const now = new Uint8Array(16);
  const begin = performance.now();
  for (let waited = 0; ; waited++) {
    const view = new DataView(poll.buffer);
    view.setInt32(0, fd, true);
    view.setInt16(4, POLLIN_HUP_ERR, true);
    if (libc().call("ppoll", poll, 1, now, 0) !== 0) return;
    if (interrupted()) {
      throw cannot("read a secret", { code: "io-error", why: "interrupted" });
    }
    if (isInit() && performance.now() - begin > longestWaitOfInit) {
      throw cannot("read a secret", {
        code: "io-error",
        why: "nothing came in 30 s",
        hint: "give the first process a file",
      });
    }
    await Bun.sleep(Math.min(waited, 20));
  }
}

function tooLarge(name: string, limit: number): KexecError {
  return cannot(`use the secret ${name}`, {
    code: "file-too-large",
    why: `it is larger than ${limit} bytes`,
    hint: "pass on a key, and put what it opens into an initramfs archive",
  });
}

function wipe(address: number, length: number): void {
  libc().memory(address, length).fill(0);
  libc().call("munmap", address, length);
}
