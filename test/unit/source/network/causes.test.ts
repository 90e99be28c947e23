/** Why a server cannot be reached or believed, from what the machine and the runtime say. */
import { describe, expect, test } from "bun:test";
import { readInterfaces } from "../../../../src/linux/network/interfaces.ts";
import {
  addressBelow,
  addressBeside,
  shownAddress,
} from "../../../../src/source/network/address.ts";
import { tlsFailure } from "../../../../src/source/network/failure.ts";
import {
  addressBytes,
  nameServersIn,
  reachFailure,
  type Surroundings,
} from "../../../../src/source/network/reach.ts";
import { released } from "../../../../src/version.ts";
import { fetched } from "./generation.ts";

const eth0 = { name: "eth0", up: true, carrier: true, addresses: ["192.0.2.7"] };
const around = (given: Partial<Surroundings> = {}): Surroundings => ({
  interfaces: () => [eth0],
  resolve: async () => ["192.0.2.9"],
  nameServers: () => ["192.0.2.1"],
  connect: () => 111,
  ...given,
});
const url = new URL("https://boot.example/boot.json");

describe("a server that cannot be reached", () => {
  test.each<[string, Partial<Surroundings>, string]>([
    ["no-interface", { interfaces: () => [] }, "no network interface"],
    [
      "no-link",
      { interfaces: () => [{ ...eth0, carrier: false, addresses: [] }] },
      "eth0 has no link",
    ],
    [
      "no-link",
      { interfaces: () => [{ ...eth0, up: false, carrier: false, addresses: [] }] },
      "switched off",
    ],
    [
      "no-address",
      {
        interfaces: () => [
          { ...eth0, addresses: [] },
          { ...eth0, name: "eth1", carrier: false, addresses: [] },
        ],
      },
      "eth0 has no address",
    ],
    ["name-not-found", { resolve: async () => [] }, "no name server knows boot.example"],
    ["name-not-found", { resolve: async () => [], nameServers: () => [] }, "no name server is set"],
    ["no-route", { connect: () => 101 }, "192.0.2.9 (boot.example)"],
    ["no-route", { connect: () => 113 }, "there is no route to"],
    ["connection-refused", { connect: () => 111 }, "port 443"],
    [
      "connection-refused",
      {
        resolve: async () => ["2001:db8::1", "192.0.2.9"],
        connect: (address) => (address.includes(":") ? 101 : 111),
      },
      "port 443",
    ],
    ["stalled", { connect: () => 110 }, "does not answer"],
    ["transfer-cut", { connect: () => 0 }, "takes connections on port 443 now"],
  ])("%s", async (code, given, why) => {
    const { failure, passing } = await reachFailure(url, around(given));
    expect(failure).toMatchObject({ code, why: expect.stringContaining(why) });
    expect(failure.hint).toBeString();
    expect(passing).toBe(true);
  });

  test("itself it reaches without any interface, and an address needs no name server", async () => {
    const none = { interfaces: () => [], resolve: async () => [] };
    for (const host of ["127.0.0.1", "[::1]"]) {
      const { failure } = await reachFailure(new URL(`https://${host}:8443/`), around(none));
      expect(failure).toMatchObject({
        code: "connection-refused",
        errno: "ECONNREFUSED",
        why: expect.stringContaining("8443"),
      });
    }
  });

  test("by the kernel's own word", async () => {
    // Nothing listens on port 1, and class E is nobody's: EINVAL or ENETUNREACH.
    expect((await fetched("https://127.0.0.1:1/boot.json"))?.code).toBe("connection-refused");
    expect((await fetched("https://[::1]:1/boot.json"))?.code).toBe("connection-refused");
    const unknown = await fetched("https://nowhere.invalid/boot.json");
    expect(["name-not-found", "no-interface", "no-link", "no-address"]).toContain(
      unknown?.code ?? "",
    );
    for (const { name, addresses } of readInterfaces()) {
      expect(name).not.toBe("lo");
      expect(addresses.every((address) => addressBytes(address) !== undefined)).toBe(true);
    }
  });
});

describe("the runtime's names of what TLS refuses", () => {
  test.each([
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "tls-unknown-authority"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "tls-unknown-authority"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "tls-wrong-name"],
    ["CERT_HAS_EXPIRED", "tls-expired"],
    ["CERT_NOT_YET_VALID", "tls-expired"],
    ["CERT_REVOKED", "tls-failed"],
    ["UNKNOWN_CERTIFICATE_VERIFICATION_ERROR", "tls-failed"],
    ["ECONNRESET", undefined],
  ])("%s", (name, code) => {
    const failure = tlsFailure(name, "boot.example", released + 1, released);
    expect(failure?.failure.code).toBe(code as "tls-failed");
  });

  test.each(["CERT_HAS_EXPIRED", "CERT_NOT_YET_VALID"])(
    "a clock from before this program was built: %s",
    (name) => {
      const failure = tlsFailure(name, "boot.example", 0, released)?.failure;
      expect(failure?.code).toBe("clock-wrong");
      expect(failure?.why).toContain("1970-01-01 00:00");
      expect(failure?.hint).toContain("hwclock");
      expect(released).toBeLessThan(Date.now() + 86_400_000);
    },
  );
});

describe("addresses", () => {
  test.each([
    ["vmlinuz", "https://h:1/a/vmlinuz"],
    ["sub/initrd 1.img", "https://h:1/a/sub/initrd%201.img"],
    ["%2e%2e/x", "https://h:1/a/%252e%252e/x"],
    ["a?b#c;d:e\\f", "https://h:1/a/a%3Fb%23c%3Bd%3Ae%5Cf"],
    ["\u00fc", "https://h:1/a/%C3%BC"],
  ])("what a manifest calls %s stays below its folder", (path, expected) => {
    expect(addressBelow(new URL("https://h:1/a/boot.json"), path).href).toBe(expected);
  });

  test("a signature lies beside, and what lets somebody in is not shown", () => {
    const asked = new URL("https://h/a/boot.json?t=1");
    expect(addressBeside(asked, ".minisig").href).toBe("https://h/a/boot.json.minisig?t=1");
    expect(shownAddress(asked)).toBe("https://h/a/boot.json?…");
  });

  test.each([
    ["127.0.0.1", [127, 0, 0, 1]],
    ["256.0.0.1", undefined],
    ["boot.example", undefined],
    ["::", Array<number>(16).fill(0)],
    ["::1", [...Array<number>(15).fill(0), 1]],
    ["2001:db8::", [0x20, 1, 0x0d, 0xb8, ...Array<number>(12).fill(0)]],
    ["1:2:3:4:5:6:7:8", [1, 2, 3, 4, 5, 6, 7, 8].flatMap((word) => [0, word])],
    ["::ffff:1.2.3.4", [...Array<number>(10).fill(0), 255, 255, 1, 2, 3, 4]],
    ["1::2::3", undefined],
    ["abc:", undefined],
  ] as const)("the bytes of %s", (text, bytes) => {
    const found = addressBytes(text);
    expect(found === undefined ? undefined : [...found]).toEqual(
      bytes === undefined ? undefined : [...bytes],
    );
  });

  test("name servers, as resolv.conf and /proc/net/pnp have them", () => {
    const pnp =
      "#PROTO: DHCP\ndomain example\nnameserver 192.0.2.1\nnameserver 2001:db8::1\nbootserver 0.0.0.0\n";
    expect(nameServersIn(pnp)).toEqual(["192.0.2.1", "2001:db8::1"]);
    expect(nameServersIn("#MANUAL\n")).toEqual([]);
  });
});
