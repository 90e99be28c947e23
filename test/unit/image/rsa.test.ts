import { describe, expect, test } from "bun:test";
import { createSign, generateKeyPairSync } from "node:crypto";
import { derAt } from "../../../src/image/der.ts";
import { isRsaSignature, readRsaPublicKey } from "../../../src/image/rsa.ts";
import { der } from "./der-build.ts";

const message = new TextEncoder().encode("a message");

describe("RSA signatures as OpenSSL makes them", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = readRsaPublicKey(derAt(publicKey.export({ type: "spki", format: "der" })));
  if (key === undefined) throw new Error("no RSA key");

  for (const algorithm of ["sha1", "sha256", "sha384", "sha512"] as const) {
    const signature = new Uint8Array(createSign(algorithm).update(message).sign(privateKey));
    const digest = new Bun.CryptoHasher(algorithm).update(message).digest("hex");

    test(algorithm, () => {
      expect(isRsaSignature(key, signature, algorithm, digest)).toBe(true);
      const other = new Bun.CryptoHasher(algorithm).update("other").digest("hex");
      expect(isRsaSignature(key, signature, algorithm, other)).toBe(false);
      for (const at of [0, 100, 255]) {
        const damaged = signature.slice();
        damaged[at] = (damaged[at] ?? 0) ^ 1;
        expect(isRsaSignature(key, damaged, algorithm, digest)).toBe(false);
      }
      expect(isRsaSignature(key, signature.subarray(1), algorithm, digest)).toBe(false);
    });
  }

  test("an unknown algorithm cannot be told, a value over the modulus is none", () => {
    expect(isRsaSignature(key, new Uint8Array(256), "sha3-256", "00")).toBeUndefined();
    expect(isRsaSignature(key, new Uint8Array(256).fill(255), "sha256", "00")).toBe(false);
  });
});

test("other and malformed keys are no RSA keys", () => {
  const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const bytes = publicKey.export({ type: "spki", format: "der" });
  expect(readRsaPublicKey(derAt(bytes))).toBeUndefined();
  expect(readRsaPublicKey(derAt(der(0x30)))).toBeUndefined();
  expect(readRsaPublicKey(undefined)).toBeUndefined();
});
