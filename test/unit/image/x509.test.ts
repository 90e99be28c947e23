import { describe, expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { derAt, derChildren, derOid, derTime } from "../../../src/image/der.ts";
import { readCertificate, readName } from "../../../src/image/x509.ts";
import { ascii } from "./build.ts";
import { certificate, der, name, oid } from "./der-build.ts";

describe("DER", () => {
  test("lengths of one, two and three bytes", () => {
    for (const length of [0, 127, 128, 255, 256, 65535]) {
      const item = derAt(der(0x04, new Uint8Array(length)));
      expect([item.tag, item.content.length]).toEqual([0x04, length]);
    }
  });

  test.each([
    ["nothing", []],
    ["a tag alone", [0x30]],
    ["a length that is cut", [0x30, 0x82, 0x01]],
    ["one byte too few", [0x30, 0x02, 0x00]],
    ["an indefinite length", [0x30, 0x80, 0x00, 0x00]],
    ["a length of five bytes", [0x30, 0x85, 0, 0, 0, 0, 1, 0]],
    ["a length of 4 GiB", [0x30, 0x84, 0xff, 0xff, 0xff, 0xff]],
    ["a tag of two bytes", [0x1f, 0x81, 0x00]],
  ])("refused: %s", (_, bytes) => {
    expect(() => derAt(Uint8Array.from(bytes))).toThrow(KexecError);
  });

  test("times of both forms, and nothing else", () => {
    const time = (tag: number, text: string) => derTime(derAt(der(tag, ascii(text))));
    expect(time(0x17, "491231235959Z")).toBe(Date.UTC(2049, 11, 31, 23, 59, 59));
    expect(time(0x17, "500101000000Z")).toBe(Date.UTC(1950, 0, 1));
    expect(time(0x18, "20500101000000Z")).toBe(Date.UTC(2050, 0, 1));
    for (const text of ["", "4912312359Z", "491331235959Z", "491231235959+0100"]) {
      expect(time(0x17, text)).toBeUndefined();
    }
    expect(time(0x04, "491231235959Z")).toBeUndefined();
    expect(derTime(undefined)).toBeUndefined();
  });

  test("parts are bounded in number", () => {
    const many = derAt(der(0x30, new Uint8Array(2 * 1024).fill(0)));
    expect(derChildren(many)).toHaveLength(1024);
    expect(() => derChildren(derAt(der(0x30, new Uint8Array(2 * 1025))))).toThrow(/too many/);
  });

  test.each([
    "1.2.840.113549.1.7.2",
    "2.16.840.1.101.3.4.2.1",
    "0.9.2342.19200300.100.1.25",
    "2.999",
  ])("object identifier %s", (text) => {
    expect(derOid(derAt(oid(text)), "it")).toBe(text);
  });

  test("object identifiers without end", () => {
    expect(() => derOid(derAt(der(0x06)), "it")).toThrow(KexecError);
    expect(() => derOid(derAt(der(0x06, new Uint8Array(33))), "it")).toThrow(KexecError);
    expect(() => derOid(derAt(der(0x06, new Uint8Array(20).fill(0xff))), "it")).toThrow(KexecError);
  });
});

describe("names", () => {
  const read = (bytes: Uint8Array) => readName(derAt(bytes));

  test("the most specific part comes first", () => {
    const parts = [
      ["C", "DE"],
      ["O", "Example"],
      ["CN", "Signer"],
    ] as const;
    expect(read(name(parts))).toEqual({
      text: "CN=Signer,O=Example,C=DE",
      commonName: "Signer",
      organization: "Example",
    });
  });

  test("special characters are escaped as in RFC 4514", () => {
    expect(read(name([["CN", ' a,b+c"d;e<f>g\\h ']])).text).toBe(
      'CN=\\ a\\,b\\+c\\"d\\;e\\<f\\>g\\\\h\\ ',
    );
    expect(read(name([["CN", "#1"]])).text).toBe("CN=\\#1");
  });

  test("control and direction characters are dropped", () => {
    expect(read(name([["CN", "a\u001b[31m\n\u202eb\u2028\u0000c"]])).text).toBe("CN=a[31mbc");
  });

  test("encodings", () => {
    expect(read(name([["CN", Uint8Array.of(0, 0x41, 0x20, 0xac)]], 0x1e)).text).toBe("CN=A€");
    expect(read(name([["CN", Uint8Array.of(0xe9)]], 0x14)).text).toBe("CN=é");
    expect(read(name([["CN", "é"]])).text).toBe("CN=é");
    expect(read(name([["CN", Uint8Array.of(0xff, 0x41)]])).text).toBe("CN=\ufffdA");
  });

  test("values are bounded, unknown types keep their number", () => {
    expect(read(name([["other", "x".repeat(9000)]])).text).toBe(`1.2.3.4=${"x".repeat(256)}`);
  });

  test("an empty name, and something else", () => {
    expect(read(name([])).text).toBe("");
    expect(() => read(ascii("hello, world"))).toThrow(KexecError);
  });
});

test("a certificate", () => {
  const bytes = certificate({
    issuer: name([["CN", "CA"]]),
    subject: name([["CN", "Signer"]]),
    serial: [0x00, 0xc1, 0x02],
    keyId: Uint8Array.of(1, 2, 3),
    authorityKeyId: Uint8Array.of(0xfe, 0xdc),
  });
  expect(readCertificate(derAt(bytes))).toEqual({
    subject: { text: "CN=Signer", commonName: "Signer", organization: undefined },
    issuer: { text: "CN=CA", commonName: "CA", organization: undefined },
    serial: "c102",
    fingerprint: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    tbsFingerprint: new Bun.CryptoHasher("sha256").update(bodyOf(bytes)).digest("hex"),
    validFrom: Date.UTC(2026, 0, 1),
    validTo: Date.UTC(2036, 0, 1),
    rsaKey: { modulus: expect.any(BigInt), exponent: 65537n, length: 128 },
    subjectKeyId: "010203",
    authorityKeyId: "fedc",
  });
});

test("a certificate without extensions", () => {
  const plan = { issuer: name([]), subject: name([]), serial: [5] };
  expect(readCertificate(derAt(certificate(plan)))).toMatchObject({
    serial: "05",
    subjectKeyId: undefined,
    authorityKeyId: undefined,
  });
});

/** TBSCertificate: the first member of a certificate, header and all. */
function bodyOf(bytes: Uint8Array): Uint8Array {
  const header = (at: number) =>
    (bytes[at + 1] ?? 0) < 0x80 ? 2 : 2 + ((bytes[at + 1] ?? 0) & 0x7f);
  const start = header(0);
  const long = bytes[start + 1] ?? 0;
  const length =
    long < 0x80
      ? long
      : bytes.slice(start + 2, start + header(start)).reduce((sum, byte) => sum * 256 + byte, 0);
  return bytes.slice(start, start + header(start) + length);
}
