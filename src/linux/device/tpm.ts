/** The TPM's device: a command is written, its response read (drivers/char/tpm/tpm-dev-common.c). */
import { EBUSY, ENODEV, ENOENT, ENXIO, errnoName, errnoText } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import { callThroughSignals, close, open } from "../descriptor.ts";

const O_RDWR = 2;
/** drivers/char/tpm/tpm.h: TPM_BUFSIZE, the most that a response can have. */
const mostResponseBytes = 4096;

/** The resource manager first: the bare device has one user at a time. */
const devices = ["/dev/tpmrm0", "/dev/tpm0"] as const;

/** Sends one command and takes one response. */
export interface TpmChannel extends Disposable {
  /** For messages. */
  readonly path: string;
  /**
   * @returns the response, at most 4,096 bytes, as it came
   * @throws KexecError `io-error`
   */
  transact(command: Uint8Array): Uint8Array;
}

/**
 * The first of the devices that is there; undefined where there is none. Dispose of it to close it.
 * @throws KexecError `busy` where another process has it, `io-error`
 */
export function openTpm(): TpmChannel | undefined {
  for (const path of devices) {
    const fd = open(path, O_RDWR);
    if (fd >= 0) return channel(path, fd);
    if (fd === -ENOENT || fd === -ENODEV || fd === -ENXIO) continue;
    const busy = fd === -EBUSY;
    throw cannot(
      `open the TPM ${path}`,
      {
        code: busy ? "busy" : "io-error",
        why: busy ? "another process holds it" : errnoText(-fd).toLowerCase(),
        hint: busy ? "end what holds it, or use a kernel that has /dev/tpmrm0" : "run it as root",
      },
      { errno: errnoName(-fd), details: { path } },
    );
  }
  return undefined;
}

function channel(path: string, fd: number): TpmChannel {
  const failed = (doing: string, errno: number) =>
    cannot(
      `use the TPM ${path}`,
      {
        code: "io-error",
        details: { path },
        why: `cannot ${doing}: ${errnoText(errno).toLowerCase()}`,
        hint: "see the kernel log (dmesg)",
      },
      { errno: errnoName(errno) },
    );
  return {
    path,
    transact(command) {
      const put = callThroughSignals("write", fd, command, command.length);
      if (put < 0) throw failed("send a command", -put);
      const response = new Uint8Array(mostResponseBytes);
      const got = callThroughSignals("read", fd, response, response.length);
      if (got < 0) throw failed("read its response", -got);
      return response.subarray(0, got);
    },
    [Symbol.dispose]: () => close(fd),
  };
}
