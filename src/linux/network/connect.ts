/** Whether an address can be connected to, by the kernel's own word: connect(2). */
import { callThroughSignals, close, untilWritable } from "../descriptor.ts";

// include/linux/socket.h, include/linux/net.h, include/uapi/asm-generic/socket.h
const AF_INET = 2;
const AF_INET6 = 10;
const SOCK_STREAM_CLOEXEC_NONBLOCK = 1 | 0o2000000 | 0o4000;
const SOL_SOCKET = 1;
const SO_ERROR = 4;
const EINPROGRESS = 115;
const ETIMEDOUT = 110;

/**
 * Connects to an address and closes at once.
 * @param address 4 bytes, or 16 of IPv6
 * @returns 0, or the errno: ETIMEDOUT where no answer came within so many milliseconds
 */
export function tryConnect(address: Uint8Array, port: number, milliseconds: number): number {
  const family = address.byteLength === 4 ? AF_INET : AF_INET6;
  const fd = callThroughSignals("socket", family, SOCK_STREAM_CLOEXEC_NONBLOCK, 0);
  if (fd < 0) return -fd;
  try {
    const name = socketName(family, address, port);
    const result = callThroughSignals("connect", fd, name, name.byteLength);
    if (result !== -EINPROGRESS) return -result;
    if (untilWritable(fd, milliseconds) <= 0) return ETIMEDOUT;
    const error = new Int32Array(1);
    const length = new Int32Array([4]);
    const bytes = new Uint8Array(error.buffer);
    callThroughSignals(
      "getsockopt",
      fd,
      SOL_SOCKET,
      SO_ERROR,
      bytes,
      new Uint8Array(length.buffer),
    );
    return error[0] ?? 0;
  } finally {
    close(fd);
  }
}

/** struct sockaddr_in, struct sockaddr_in6: include/uapi/linux/in.h, in6.h; the port is big-endian. */
function socketName(family: number, address: Uint8Array, port: number): Uint8Array {
  const name = new Uint8Array(family === AF_INET ? 16 : 28);
  const view = new DataView(name.buffer);
  view.setUint16(0, family, true);
  view.setUint16(2, port);
  name.set(address, family === AF_INET ? 4 : 8);
  return name;
}
