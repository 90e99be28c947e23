/** What a DHCP server gave, as udhcpc tells it, and what the kernel is asked for then. */
import { describe, expect, test } from "bun:test";
import { leaseIn, nameServersOfDhcpcd } from "../../../src/handoff/network/lease.ts";
import { messageOf } from "../../../src/linux/network/netlink.ts";

const words = {
  interface: "eth0",
  ip: "10.0.2.15",
  mask: "24",
  subnet: "255.255.255.0",
  router: "10.0.2.2 10.0.2.4",
  dns: "10.0.2.3 2001:db8::53",
  domain: "example.org",
};

describe("a lease", () => {
  test("as busybox gives it", () => {
    expect(leaseIn(words)).toEqual({
      interface: "eth0",
      address: Uint8Array.of(10, 0, 2, 15),
      prefix: 24,
      gateways: [Uint8Array.of(10, 0, 2, 2), Uint8Array.of(10, 0, 2, 4)],
      nameServers: ["10.0.2.3", "2001:db8::53"],
      search: "example.org",
    });
  });

  test.each([
    [{ mask: undefined, subnet: "255.255.240.0" }, 20],
    [{ mask: undefined, subnet: "255.255.255.255" }, 32],
    [{ mask: undefined, subnet: "0.0.0.0" }, 0],
    [{ mask: "33", subnet: "255.0.0.0" }, 8],
    [{ mask: undefined, subnet: undefined }, 24],
    [{ mask: "x", subnet: "y" }, 24],
  ])("its mask: %p", (more, prefix) => {
    expect(leaseIn({ ...words, ...more })?.prefix).toBe(prefix);
  });

  test("what a server made up is left out", () => {
    const lease = leaseIn({
      ...words,
      router: "not.an.address 1.2.3.4.5 ::1",
      dns: "9.9.9.9\nsearch evil 1.1.1.1 2.2.2.2 3.3.3.3 4.4.4.4",
      domain: "x\nnameserver 6.6.6.6",
    });
    expect(lease).toMatchObject({
      gateways: [],
      nameServers: ["9.9.9.9", "1.1.1.1", "2.2.2.2"],
      search: undefined,
    });
  });

  test.each([
    [{ ip: undefined }],
    [{ ip: "::1" }],
    [{ ip: "10.0.2.999" }],
    [{ interface: undefined }],
    [{ interface: "../../x" }],
    [{ interface: "a name that is too long" }],
  ])("none: %p", (more) => {
    expect(leaseIn({ ...words, ...more })).toBeUndefined();
  });
});

test.each([
  [
    { new_domain_name_servers: "10.0.2.3 2001:db8::53", new_domain_name: "example.org" },
    ["10.0.2.3", "2001:db8::53"],
    "example.org",
  ],
  [
    { new_domain_name_servers: "1.1.1.1 x 2.2.2.2 3.3.3.3 4.4.4.4", new_domain_search: "a.org b" },
    ["1.1.1.1", "2.2.2.2", "3.3.3.3"],
    "a.org b",
  ],
  [{ reason: "PREINIT", new_domain_name: "x\nnameserver 6.6.6.6" }, [], undefined],
])("name servers as dhcpcd gives them: %p", (words, servers, search) => {
  expect(nameServersOfDhcpcd(words)).toEqual({ servers, search });
});

test("a message of rtnetlink: the header, the body and attributes, each on four bytes", () => {
  const message = messageOf(20, 5, Uint8Array.of(1, 2, 3, 4, 5), [
    [2, Uint8Array.of(10, 0, 2, 15)],
    [7, Uint8Array.of(9)],
  ]);
  expect(Buffer.from(message).toString("hex")).toBe(
    [
      // length 40, type 20, flags 5, sequence 1, port 0
      "28000000" + "1400" + "0500" + "01000000" + "00000000",
      "0102030405000000",
      "0800" + "0200" + "0a00020f",
      "0500" + "0700" + "09000000",
    ].join(""),
  );
});
