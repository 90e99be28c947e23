/** The kernel's own word that a device has come: NETLINK_KOBJECT_UEVENT (lib/kobject_uevent.c). */
import { errnoName } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import { callThroughSignals, close, ioError } from "../descriptor.ts";
import { moduleLoader } from "./modules.ts";

// include/linux/socket.h, include/linux/net.h, include/uapi/linux/netlink.h
const AF_NETLINK = 16;
const SOCK_DGRAM_CLOEXEC_NONBLOCK = 2 | 0o2000000 | 0o4000;
const NETLINK_KOBJECT_UEVENT = 15;
const kernelGroup = 1;
// include/uapi/asm-generic/poll.h
const POLLIN = 1;
/** lib/kobject_uevent.c: UEVENT_BUFFER_SIZE, and the header before it. */
const mostBytes = 8192;

/** Listens from its making on, so that no device slips between a look and the wait. Dispose of it to stop. */
export class Uevents implements Disposable {
  private constructor(private readonly fd: number) {}

  /** @throws KexecError `io-error` */
  static listen(): Uevents {
    const fd = callThroughSignals(
      "socket",
      AF_NETLINK,
      SOCK_DGRAM_CLOEXEC_NONBLOCK,
      NETLINK_KOBJECT_UEVENT,
    );
    if (fd < 0) throw ioError("listen for devices (uevents)", -fd);
    // struct sockaddr_nl: u16 family, u16 padding, u32 port (0: the kernel chooses), u32 groups
    const address = new Uint8Array(12);
    const view = new DataView(address.buffer);
    view.setUint16(0, AF_NETLINK, true);
    view.setUint32(8, kernelGroup, true);
    const bound = callThroughSignals("bind", fd, address, address.length);
    if (bound < 0) {
      close(fd);
      throw cannot(
        "listen for devices (uevents)",
        { code: "io-error", why: "the kernel refuses the socket" },
        { errno: errnoName(-bound) },
      );
    }
    return new Uevents(fd);
  }

  /**
   * Waits until a block device is added or changes, or where modules are loaded one that asks for some,
   * `milliseconds` at most.
   * @returns whether one did; also true where events were lost, so that the caller looks again
   */
  waitForDevice(milliseconds: number): boolean {
    const end = performance.now() + milliseconds;
    for (;;) {
      const left = end - performance.now();
      if (left <= 0 || !this.wait(left)) return false;
      if (this.drain()) return true;
    }
  }

  private wait(milliseconds: number): boolean {
    // struct pollfd: i32 fd, i16 events, i16 revents; struct timespec: i64 seconds, i64 nanoseconds
    const poll = new Uint8Array(8);
    const view = new DataView(poll.buffer);
    view.setInt32(0, this.fd, true);
    view.setInt16(4, POLLIN, true);
    const time = new Uint8Array(16);
    const timeView = new DataView(time.buffer);
    timeView.setBigInt64(0, BigInt(Math.floor(milliseconds / 1000)), true);
    timeView.setBigInt64(8, BigInt(Math.floor((milliseconds % 1000) * 1_000_000)), true);
    return callThroughSignals("ppoll", poll, 1, time, 0, 0) > 0;
  }

  /** Reads all that has come. */
  private drain(): boolean {
    let seen = false;
    // Bounded: whoever sends faster than this reads is not waited for
    for (let count = 0; count < 1024; count++) {
      const buffer = new Uint8Array(mostBytes);
      const address = new Uint8Array(12);
      const length = new Uint8Array(4);
      length[0] = address.length;
      const got = callThroughSignals(
        "recvfrom",
        this.fd,
        buffer,
        buffer.length,
        0,
        address,
        length,
      );
      if (got === 0) return seen;
      // ENOBUFS: events were lost
      if (got < 0) return seen || got === -105;
      // Only the kernel, whose port is 0, is believed: any process may send to the group
      if (new DataView(address.buffer).getUint32(4, true) !== 0) continue;
      const message = buffer.subarray(0, got);
      seen ||= isBlockDevice(message) || (moduleLoader() !== undefined && asksForModule(message));
    }
    return seen;
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}

/** `add@/devices/…`, then `NAME=value`, each ended by a NUL. */
export function isBlockDevice(message: Uint8Array): boolean {
  const words = new TextDecoder().decode(message).split("\0");
  return words.includes("SUBSYSTEM=block") && !words.includes("ACTION=remove");
}

/** One whose driver may be a module. */
export function asksForModule(message: Uint8Array): boolean {
  const words = new TextDecoder().decode(message).split("\0");
  return words.includes("ACTION=add") && words.some((word) => word.startsWith("MODALIAS="));
}
