import { describe, expect, test } from "bun:test";
import { createHash, generateKeyPairSync } from "node:crypto";
import { parsePublicKey } from "../../../src/trust/keys.ts";
import { mutate, seeded } from "../fuzz.ts";
import points from "./data/points.json";
import { bytesOf, errorOf, joined, refusedOr, signerOf } from "./signer.ts";

const signer = signerOf("11".repeat(32));
const spkiPrefix = Uint8Array.fromHex("302a300506032b6570032100");

const pemOf = (der: Uint8Array, label = "PUBLIC KEY"): string =>
  `-----BEGIN ${label}-----\n${der.toBase64().replace(/(.{64})(?=.)/g, "$1\n")}\n-----END ${label}-----\n`;
const parse = (text: string) => parsePublicKey(bytesOf(text), "org.pub");
const whyNot = (text: string) => {
  const { message } = errorOf("bad-key", () => parse(text));
  expect(message).toStartWith("public key org.pub: ");
  return message.slice("public key org.pub: ".length);
};

describe("accepted", () => {
  test("minisign's .pub, with its key id as minisign prints it", () => {
    const key = parse(signer.minisignKey("00C1C2C3C4C5C6C7"));
    expect(key).toEqual({
      name: "org.pub",
      format: "minisign",
      point: signer.point,
      keyId: "00C1C2C3C4C5C6C7",
      fingerprint: "minisign:00C1C2C3C4C5C6C7",
    });
  });

  test("the base64 line alone, and lines that end in CRLF", () => {
    const file = signer.minisignKey();
    const line = file.split("\n")[1] ?? "";
    expect(parse(line).point).toEqual(signer.point);
    expect(parse(file.replaceAll("\n", "\r\n")).point).toEqual(signer.point);
  });

  test("SubjectPublicKeyInfo PEM, with a fingerprint of the SPKI", () => {
    const key = parse(signer.pem);
    const digest = createHash("sha256").update(joined(spkiPrefix, signer.point)).digest("hex");
    expect(key).toEqual({
      name: "org.pub",
      format: "pem",
      point: signer.point,
      keyId: undefined,
      fingerprint: `sha256:${digest.slice(0, 16)}`,
    });
    expect(parse(signer.pem.replaceAll("\n", "\r\n")).point).toEqual(signer.point);
  });

  test("the key does not change when the bytes it came from do", () => {
    const bytes = bytesOf(signer.pem);
    const key = parsePublicKey(bytes, "org.pub");
    bytes.fill(0);
    expect(key.point).toEqual(signer.point);
  });
});

describe("refused, each in its own words", () => {
  const keyLine = (data: Uint8Array) => `untrusted comment: x\n${data.toBase64()}\n`;
  const minisign = (point: Uint8Array, algorithm = "Ed") =>
    keyLine(joined(bytesOf(algorithm), new Uint8Array(8), point));

  const pemKeys = {
    "an RSA key": generateKeyPairSync("rsa", { modulusLength: 2048 }),
    "an elliptic curve (ECDSA) key": generateKeyPairSync("ec", { namedCurve: "P-256" }),
    "an X25519 key": generateKeyPairSync("x25519"),
  };
  for (const [what, { publicKey, privateKey }] of Object.entries(pemKeys)) {
    test(`${what}, public and private`, () => {
      const pem = publicKey.export({ format: "pem", type: "spki" }).toString();
      expect(whyNot(pem)).toBe(`${what}; only Ed25519 is accepted`);
      const secret = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
      expect(whyNot(secret)).toBe("a private key");
    });
  }

  const der = joined(spkiPrefix, signer.point);
  const withOid = (oid: string) => {
    const changed = der.slice();
    changed.set(Uint8Array.fromHex(oid), 4);
    return pemOf(changed);
  };
  const line = signer.minisignKey().split("\n")[1];
  const block = (label: string) => `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`;
  const otherForm = "an Ed25519 key of the wrong length or form";
  const cases: readonly (readonly [what: string, text: string, why: string])[] = [
    ["nothing", "", "the file is empty"],
    ["only a comment", "untrusted comment: x\n", "no key in it"],
    ["blank lines", "\n\n", "no key in it"],
    ["over 4 KiB", `${signer.pem}${"\n".repeat(4096)}`, "larger than 4096 bytes"],
    ["binary", "\u0001\u0000\u0002", "not a text file"],
    ["not base64", "untrusted comment: x\nRW?!\n", "neither PEM nor base64"],
    [
      "base64 with a space in it",
      `${line?.slice(0, 20)} ${line?.slice(20)}`,
      "neither PEM nor base64",
    ],
    [
      "two minisign keys",
      `${signer.minisignKey()}${line}\n`,
      "more than one key, or text after the key",
    ],
    ["two PEM keys", signer.pem + signer.pem, "more than one key"],
    ["text before PEM", `x\n${signer.pem}`, "text before the key, or a broken BEGIN line"],
    ["text after PEM", `${signer.pem}x`, "text after the key, or no END line"],
    ["PEM cut short", signer.pem.slice(0, 60), "text after the key, or no END line"],
    ["PEM with broken base64", signer.pem.replace("MCow", "M?ow"), "the PEM's base64 is broken"],
    ["minisign private", keyLine(joined(bytesOf("Ed"), new Uint8Array(156))), "a private key"],
    ["a .minisig", signer.minisign(bytesOf("x")), "a minisign signature, not a key"],
    [
      "a signature's line",
      keyLine(joined(bytesOf("ED"), new Uint8Array(72))),
      "a minisign signature, not a key",
    ],
    [
      "wrong length",
      keyLine(joined(bytesOf("Ed"), new Uint8Array(39))),
      "41 bytes where minisign's key has 42",
    ],
    ["the point alone", signer.point.toBase64(), "32 bytes where minisign's key has 42"],
    ["another algorithm", minisign(signer.point, "ED"), "an algorithm other than Ed25519"],
    ["OpenSSH", "ssh-ed25519 AAAAC3 me@here\n", "an OpenSSH key; minisign's and PEM are accepted"],
    ["PKCS #1", block("RSA PUBLIC KEY"), "an RSA key; only Ed25519 is accepted"],
    ["a certificate", block("CERTIFICATE"), "a certificate"],
    ["a request", block("CERTIFICATE REQUEST"), "PEM, but not of a public key"],
    ["old private", block("EC PRIVATE KEY"), "a private key"],
    ["OpenSSH private", block("OPENSSH PRIVATE KEY"), "a private key"],
    ["encrypted private", block("ENCRYPTED PRIVATE KEY"), "a private key"],
    ["private among others", `${signer.pem}${block("PRIVATE KEY")}`, "a private key"],
    ["Ed448's OID", withOid("06032b6571"), "an Ed448 key; only Ed25519 is accepted"],
    ["unknown OID", withOid("06032b6501"), "an unknown algorithm's key; only Ed25519 is accepted"],
    ["a point too short", pemOf(der.slice(0, -1)), otherForm],
    ["a point too long", pemOf(joined(der, new Uint8Array(1))), otherForm],
    ["non-minimal DER", pemOf(joined(Uint8Array.fromHex("30812a"), der.subarray(2))), otherForm],
    ["no DER", pemOf(Uint8Array.fromHex("0400")), "not a SubjectPublicKeyInfo"],
    [
      "DER that ends in its OID",
      pemOf(Uint8Array.fromHex("3006300406082b65")),
      "not a SubjectPublicKeyInfo",
    ],
  ];
  for (const [what, text, why] of cases) test(what, () => expect(whyNot(text)).toBe(why));

  test("DER", () => {
    const error = errorOf("bad-key", () => parsePublicKey(der, "org.pub"));
    expect(error.message).toBe("public key org.pub: DER, not PEM");
  });

  test("every encoding of a small-order point, in both formats", () => {
    for (const encoding of [...points.canonical, ...points.nonCanonical]) {
      const point = Uint8Array.fromHex(encoding);
      const why = points.canonical.includes(encoding)
        ? "a small-order point: anyone can sign for it"
        : "the point's encoding is not canonical";
      expect(whyNot(minisign(point))).toBe(why);
      expect(whyNot(pemOf(joined(spkiPrefix, point)))).toBe(why);
    }
  });

  test("no part of a private key is in the error", () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const pem = privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const error = errorOf("bad-key", () => parse(pem));
    expect(`${error.message} ${error.hint}`).not.toContain(pem.split("\n")[1] ?? "");
  });
});

test("hostile bytes: refused, or another 32 bytes", () => {
  const rng = seeded(1);
  const samples = [signer.pem, signer.minisignKey()].map(bytesOf);
  let refused = 0;
  for (let count = 0; count < 4000; count += 1) {
    const bytes = mutate(rng.pick(samples), rng);
    const key = refusedOr("bad-key", () => parsePublicKey(bytes, "k"));
    if (key === undefined) refused += 1;
    else expect(key.point.length).toBe(32);
  }
  expect(refused).toBeGreaterThan(1000);
});
