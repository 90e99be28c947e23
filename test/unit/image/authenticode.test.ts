import { describe, expect, test } from "bun:test";
import {
  authenticodeDigest,
  matchesSignature,
  readAuthenticode,
} from "../../../src/image/authenticode.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { type PeImage, readPe } from "../../../src/image/pe.ts";
import {
  ascii,
  concat,
  makePe,
  meteredSource,
  patched,
  peCertificateEntry,
  peOptionalOffset,
  winCertificate,
  withCertificates,
} from "./build.ts";
import { certificate, name, signature } from "./der-build.ts";

const program = makePe([
  { name: ".text", content: new Uint8Array(3000).fill(7) },
  { name: ".data", content: ascii("data") },
]);
const issuer = name([
  ["O", "Example"],
  ["CN", "Example CA"],
]);
const serial = [0x00, 0xab, 0xcd];
const embedded = certificate({
  issuer,
  subject: name([["CN", "Example Signer"]]),
  serial,
  keyId: Uint8Array.of(0x11, 0x22),
  authorityKeyId: Uint8Array.of(0x33, 0x44),
});

function peOf(file: Uint8Array): PeImage {
  const pe = readPe(bytesOf(file));
  if (pe?.kind !== "pe") throw new Error(`no PE file: ${JSON.stringify(pe)}`);
  return pe;
}

/** The digest as the specification words it, over the whole file in memory. */
function digestOf(file: Uint8Array, tableSize: number, algorithm: "sha256" | "sha1" = "sha256") {
  const checksum = peOptionalOffset + 64;
  const covered = concat(
    file.subarray(0, checksum),
    file.subarray(checksum + 4, peCertificateEntry),
    file.subarray(peCertificateEntry + 8, file.length - tableSize),
  );
  return new Uint8Array(new Bun.CryptoHasher(algorithm).update(covered).digest());
}

function pkcs7(plan: Partial<Parameters<typeof signature>[0]> = {}): Uint8Array {
  const digest = digestOf(program, 0);
  return signature({ digest, issuer, serial, certificates: [embedded], ...plan });
}

function read(file: Uint8Array) {
  return readAuthenticode(bytesOf(file), peOf(file));
}

function firstOf(file: Uint8Array) {
  const found = read(file)?.signatures[0];
  if (found === undefined) throw new Error(`no signature: ${JSON.stringify(read(file))}`);
  return found;
}

const signed = withCertificates(program, winCertificate(pkcs7()));

describe("signers", () => {
  test("an unsigned file has none", () => {
    expect(read(program)).toBeUndefined();
  });

  test("who signed, and with what", () => {
    expect(read(signed)?.problem).toBeUndefined();
    const { signers, certificates, digest, digestAlgorithm } = firstOf(signed);
    expect(digestAlgorithm).toBe("sha256");
    expect(digest).toBe(digestOf(program, 0).toHex());
    expect(certificates).toHaveLength(1);
    expect(signers).toHaveLength(1);
    expect(signers[0]).toMatchObject({
      issuer: { text: "CN=Example CA,O=Example" },
      serial: "abcd",
      digestAlgorithm: "sha256",
      coversContent: true,
      certificate: {
        subject: { text: "CN=Example Signer" },
        subjectKeyId: "1122",
        authorityKeyId: "3344",
      },
    });
  });

  test("without the certificate, issuer and serial are still told", () => {
    const file = withCertificates(program, winCertificate(pkcs7({ certificates: [] })));
    expect(firstOf(file).signers[0]).toMatchObject({
      issuer: { commonName: "Example CA" },
      serial: "abcd",
      certificate: undefined,
    });
  });

  test("another's certificate is not taken for the signer's", () => {
    const file = withCertificates(program, winCertificate(pkcs7({ serial: [1] })));
    expect(firstOf(file).signers[0]?.certificate).toBeUndefined();
    expect(firstOf(file).certificates).toHaveLength(1);
  });

  test("signed attributes that belong to another content", () => {
    const file = withCertificates(program, winCertificate(pkcs7({ wrongContent: true })));
    expect(firstOf(file).signers[0]?.coversContent).toBe(false);
  });

  test("several signatures, one after the other", () => {
    const table = concat(winCertificate(pkcs7()), winCertificate(pkcs7({ serial: [9] })));
    const file = withCertificates(program, table);
    expect(read(file)?.signatures.map((entry) => entry.signers[0]?.serial)).toEqual(["abcd", "09"]);
  });

  test("a second one that is broken does not concern the kernel", () => {
    const table = concat(winCertificate(pkcs7()), winCertificate(ascii("nothing"), 0x0100));
    expect(read(withCertificates(program, table))).toMatchObject({
      problem: undefined,
      signatures: [{}],
    });
  });
});

describe("what the kernel would not take for a signature", () => {
  const whole = pkcs7();
  const table = winCertificate(whole);
  test.each([
    ["table cut short", signed.subarray(0, signed.length - 8), "ELIBBAD", /inside the file/],
    ["table in the headers", patched(signed, [peCertificateEntry, 4, 8]), "ELIBBAD", /inside/],
    ["table of four bytes", withCertificates(program, new Uint8Array(4)), "ELIBBAD", /too short/],
    [
      "longer than its table",
      patched(signed, [program.length, 4, table.length + 1]),
      "ELIBBAD",
      /longer/,
    ],
    [
      "revision 1",
      withCertificates(program, winCertificate(whole, 0x0100)),
      "ENOTSUPP",
      /revision/,
    ],
    [
      "X.509 wrapper",
      withCertificates(program, winCertificate(whole, 0x0200, 1)),
      "ENOTSUPP",
      /type/,
    ],
    [
      "no content",
      withCertificates(program, winCertificate(new Uint8Array())),
      "EKEYREJECTED",
      /empty/,
    ],
    [
      "not DER",
      withCertificates(program, winCertificate(ascii("not DER at all"))),
      "ELIBBAD",
      /not PKCS/,
    ],
    [
      "over 64 KiB",
      withCertificates(program, winCertificate(Uint8Array.of(0x30, 0x83, 1, 0, 0))),
      "EMSGSIZE",
      /64 KiB/,
    ],
    [
      "DER cut short",
      withCertificates(program, winCertificate(whole.subarray(0, 200))),
      "ELIBBAD",
      /cut short/,
    ],
    [
      "DER of something else",
      withCertificates(program, winCertificate(embedded)),
      "EBADMSG",
      /malformed/,
    ],
  ] as const)("%s", (_, file, errno, reason) => {
    const found = read(file);
    expect(found?.signatures).toEqual([]);
    expect(found?.problem).toMatchObject({ code: "kernel-signature-malformed", errno });
    expect(found?.problem?.why).toMatch(reason);
  });
});

describe("changed after signing", () => {
  const matches = (file: Uint8Array) => matchesSignature(bytesOf(file), peOf(file), firstOf(file));

  test("as it was signed", () => {
    expect(matches(signed)).toBe(true);
  });

  test("the checksum and the certificate table's entry are not covered", () => {
    expect(matches(patched(signed, [peOptionalOffset + 64, 4, 0x1234]))).toBe(true);
  });

  test.each([
    ["the first header", 2],
    ["before the checksum", peOptionalOffset + 52],
    ["behind the checksum", peOptionalOffset + 68],
    ["behind the certificate table's entry", peCertificateEntry + 8],
    ["the last byte of the headers", 511],
    ["the first section", 512],
    ["the padding of the last section", program.length - 1],
  ])("one bit of %s", (_, offset) => {
    const value = (signed[offset] ?? 0) ^ 1;
    expect(matches(patched(signed, [offset, 1, value]))).toBe(false);
  });

  test("an unknown algorithm gives no verdict", () => {
    const table = winCertificate(pkcs7({ digestOid: "1.2.3.4" }));
    const file = withCertificates(program, table);
    expect(firstOf(file)).toMatchObject({ digestAlgorithm: undefined, digestOid: "1.2.3.4" });
    expect(matches(file)).toBeUndefined();
  });

  test("bytes between the last section and the table are covered", () => {
    const longer = concat(program, ascii("debug information of 24 B"), new Uint8Array(7));
    const table = winCertificate(pkcs7({ digest: digestOf(longer, 0) }));
    const file = withCertificates(longer, table);
    expect(matches(file)).toBe(true);
    expect(matches(patched(file, [program.length + 3, 1, 0]))).toBe(false);
  });

  test("sections are digested in the order of the file, not of their table", () => {
    const first = peOptionalOffset + 112 + 16 * 8;
    const swapped = Uint8Array.from(program);
    swapped.set(program.subarray(first + 40, first + 80), first);
    swapped.set(program.subarray(first, first + 40), first + 40);
    expect(authenticodeDigest(bytesOf(swapped), peOf(swapped), "sha256")).toBe(
      digestOf(swapped, 0).toHex(),
    );
  });

  test("other algorithms", () => {
    expect(authenticodeDigest(bytesOf(signed), peOf(signed), "sha1")).toBe(
      digestOf(signed, winCertificate(pkcs7()).length, "sha1").toHex(),
    );
  });

  test("a table that is larger than the rest of the file", () => {
    // Announced, not there: readAuthenticode reports it, the digest must not run away.
    const file = patched(signed, [peCertificateEntry + 4, 4, 0xffff_fff0]);
    expect(authenticodeDigest(bytesOf(file), peOf(file), "sha256")).toMatchObject({
      kind: "broken",
      code: "kernel-signature-malformed",
    });
  });
});

test("reading the signature of a large file reads its ends, not the file", () => {
  const source = meteredSource(signed, 2 ** 30);
  const found = readAuthenticode(source, peOf(signed));
  expect(found?.signatures).toHaveLength(1);
  expect(source.bytesRead).toBeLessThan(70_000);
});
