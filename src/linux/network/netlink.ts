/** Links, addresses and routes, by the kernel's own language: rtnetlink(7). */
import { readFileSync } from "node:fs";
import { callThroughSignals, close } from "../descriptor.ts";

// include/linux/socket.h, include/linux/net.h, include/uapi/linux/netlink.h
const AF_INET = 2;
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
const NLM_F_REQUEST_ACK = 1 | 4;
const NLM_F_CREATE = 0x400;
const NLM_F_REPLACE = 0x100;
const NLMSG_ERROR = 2;
/** struct nlmsghdr */
const HEADER = 16;
// include/uapi/linux/rtnetlink.h
const RTM_NEWLINK = 16;
const RTM_NEWADDR = 20;
const RTM_NEWROUTE = 24;
const IFF_UP = 1;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const RTA_DST = 1;
const RTA_OIF = 4;
const RTA_GATEWAY = 5;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
const RTN_UNICAST = 1;

/** The number of an interface; undefined where there is none of that name. */
export function interfaceIndex(name: string): number | undefined {
  try {
    const index = Number(readFileSync(`/sys/class/net/${name}/ifindex`, "utf8"));
    return Number.isSafeInteger(index) && index > 0 ? index : undefined;
  } catch {
    return undefined;
  }
}

/** Switches an interface on. 0, or -errno. */
export function switchOn(index: number): number {
  // struct ifinfomsg: u8 family, padding, u16 type, i32 index, u32 flags, u32 change
  const body = new Uint8Array(16);
  const view = new DataView(body.buffer);
  view.setInt32(4, index, true);
  view.setUint32(8, IFF_UP, true);
  view.setUint32(12, IFF_UP, true);
  return ask(RTM_NEWLINK, 0, body, []);
}

/** Gives an interface an address of IPv4. 0, or -errno. */
export function addAddress(index: number, address: Uint8Array, prefix: number): number {
  // struct ifaddrmsg: u8 family, u8 prefix length, u8 flags, u8 scope, u32 index
  const body = Uint8Array.from([AF_INET, prefix, 0, RT_SCOPE_UNIVERSE, 0, 0, 0, 0]);
  new DataView(body.buffer).setUint32(4, index, true);
  return ask(RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, body, [
    [IFA_LOCAL, address],
    [IFA_ADDRESS, address],
  ]);
}

/** The way to everything by a gateway of IPv4, wherever its address lies. 0, or -errno. */
export function addGateway(index: number, gateway: Uint8Array): number {
  const device = new Uint8Array(4);
  new DataView(device.buffer).setUint32(0, index, true);
  // A gateway beyond the prefix is on the link all the same, as in some clouds.
  const near = routeBody(32, RT_SCOPE_LINK);
  ask(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, near, [
    [RTA_DST, gateway],
    [RTA_OIF, device],
  ]);
  return ask(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, routeBody(0, RT_SCOPE_UNIVERSE), [
    [RTA_GATEWAY, gateway],
    [RTA_OIF, device],
  ]);
}

/** struct rtmsg: family, lengths of destination and source, tos, table, protocol, scope, type, u32 flags */
function routeBody(length: number, scope: number): Uint8Array {
  const words = [AF_INET, length, 0, 0, RT_TABLE_MAIN, RTPROT_BOOT, scope, RTN_UNICAST];
  return Uint8Array.from([...words, 0, 0, 0, 0]);
}

type Attribute = readonly [type: number, value: Uint8Array];

/** One request, and the kernel's answer: 0, or -errno. */
function ask(type: number, flags: number, body: Uint8Array, attributes: readonly Attribute[]) {
  const fd = callThroughSignals("socket", AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return fd;
  try {
    const message = messageOf(type, flags | NLM_F_REQUEST_ACK, body, attributes);
    const put = callThroughSignals("write", fd, message, message.byteLength);
    if (put < 0) return put;
    const answer = new Uint8Array(4096);
    const got = callThroughSignals("read", fd, answer, answer.byteLength);
    if (got < 0) return got;
    const view = new DataView(answer.buffer, 0, got);
    // struct nlmsgerr: i32 error behind the header; 0 where it was done
    if (got < HEADER + 4 || view.getUint16(4, true) !== NLMSG_ERROR) return 0;
    return view.getInt32(HEADER, true);
  } finally {
    close(fd);
  }
}

/** struct nlmsghdr: u32 length, u16 type, u16 flags, u32 sequence, u32 port; all on 4 bytes. */
export function messageOf(
  type: number,
  flags: number,
  body: Uint8Array,
  attributes: readonly Attribute[],
): Uint8Array {
  const padded = (length: number) => (length + 3) & ~3;
  const sizes = attributes.map(([, value]) => padded(4 + value.byteLength));
  const length = sizes.reduce((sum, size) => sum + size, HEADER + padded(body.byteLength));
  const message = new Uint8Array(length);
  const view = new DataView(message.buffer);
  view.setUint32(0, length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  view.setUint32(8, 1, true);
  message.set(body, HEADER);
  let at = HEADER + padded(body.byteLength);
  for (const [index, [attribute, value]] of attributes.entries()) {
    view.setUint16(at, 4 + value.byteLength, true);
    view.setUint16(at + 2, attribute, true);
    message.set(value, at + 4);
    at += sizes[index] ?? 0;
  }
  return message;
}
