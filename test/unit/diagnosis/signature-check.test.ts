import { describe, expect, test } from "bun:test";
import { judgeSignature, readImageSignature } from "../../../src/diagnosis/signature-check.ts";
import { authenticodeDigest } from "../../../src/image/authenticode.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { derAt } from "../../../src/image/der.ts";
import { readPe } from "../../../src/image/pe.ts";
import type { DigestAlgorithm } from "../../../src/image/pkcs7.ts";
import { readCertificate } from "../../../src/image/x509.ts";
import type { Keyrings } from "../../../src/machine/proc-keys.ts";
import { known, unknown } from "../../../src/machine/reading.ts";
import { mutate, seeded } from "../fuzz.ts";
import { makeBzImage, makePe, patched, winCertificate, withCertificates } from "../image/build.ts";
import { certificate, name, signature } from "../image/der-build.ts";
import { keyrings } from "./machine.ts";

const program = makePe([{ name: ".text", content: new Uint8Array(3000).fill(7) }]);
const issuer = name([["CN", "CA"]]);
const plan = {
  issuer,
  subject: name([["CN", "Signer"]]),
  serial: [7],
  keyId: Uint8Array.of(0x00, 0x22),
  authorityKeyId: Uint8Array.of(0x33, 0x44),
};
const embedded = certificate(plan);
const signed = sign();
const us: Keyrings = keyrings([{ subject: "Signer", id: "22" }]);

function digestOf(algorithm: DigestAlgorithm): Uint8Array {
  const source = bytesOf(program);
  const pe = readPe(source);
  if (pe?.kind !== "pe") throw new Error("no PE file");
  return Uint8Array.fromHex(String(authenticodeDigest(source, pe, algorithm)));
}

function sign(changes: Partial<Parameters<typeof signature>[0]> = {}): Uint8Array {
  const digest = digestOf("sha256");
  const made = signature({ digest, issuer, serial: [7], certificates: [embedded], ...changes });
  return withCertificates(program, winCertificate(made));
}

function judge(bytes: Uint8Array, rings: Keyrings, withDigest = true) {
  return judgeSignature(readImageSignature(bytesOf(bytes), withDigest), rings);
}

describe("what the kernel's check comes to", () => {
  test("signed by a key of a keyring: itself, or its issuer", () => {
    const good = { verdict: "good", signer: '"CN=Signer"', keyring: ".platform" };
    expect(judge(signed, us)).toMatchObject(good);
    expect(judge(signed, keyrings([{ subject: "Signer", id: "0022" }]))).toMatchObject(good);
    expect(judge(signed, keyrings([{ subject: "CA", id: "3344" }]))).toMatchObject(good);
  });

  test("signed by nobody here, and named", () => {
    for (const rings of [keyrings(), keyrings([{ subject: "Signer", id: "2233" }])]) {
      const found = judge(signed, rings);
      expect(found).toMatchObject({
        verdict: "refused",
        code: "kernel-signer-unknown",
        errno: "ENOKEY",
        signer: '"CN=Signer"',
      });
      expect(found.verdict === "refused" && found.why).toContain('"CN=Signer"');
    }
  });

  test("unsigned: no EFI header, or no signature", () => {
    expect(judge(makeBzImage(), us)).toMatchObject({
      code: "kernel-unsigned",
      errno: "ELIBBAD",
      case: "no-efi-header",
    });
    expect(judge(program, us)).toMatchObject({ code: "kernel-unsigned", errno: "ENODATA" });
  });

  test("changed after signing, where the signer is trusted; otherwise the signer comes first", () => {
    const changed = patched(signed, [signed.indexOf(7, 1500), 1, 8]);
    expect(judge(changed, us)).toMatchObject({
      code: "kernel-changed-after-signing",
      errno: "EKEYREJECTED",
    });
    expect(judge(changed, keyrings())).toMatchObject({ code: "kernel-signer-unknown" });
    expect(judge(changed, us, false)).toMatchObject({ verdict: "unknown" });
  });

  test("a signature of other content", () => {
    expect(judge(sign({ wrongContent: true }), us)).toMatchObject({
      code: "kernel-signature-bad",
      errno: "EKEYREJECTED",
    });
  });

  test("a value that the key did not make, and one made outside of the certificate's time", () => {
    expect(judge(sign({ damaged: true }), us)).toMatchObject({
      code: "kernel-signature-bad",
      errno: "EINVAL",
    });
    expect(judge(sign({ signedAt: "300101000000Z" }), us).verdict).toBe("good");
    for (const signedAt of ["251231235959Z", "360101000001Z"]) {
      // The time comes before the value, whose own fault is another errno.
      expect(judge(sign({ signedAt, damaged: true }), us)).toMatchObject({
        code: "kernel-signature-bad",
        errno: "EKEYREJECTED",
        case: "outside-validity",
      });
    }
  });

  test("what some kernels lack, and a key that is not RSA's, leave it open", () => {
    const unknownDigest = judge(sign({ signerDigestOid: "1.2.3.4" }), us);
    expect(unknownDigest).toMatchObject({ code: "kernel-signature-algorithm", errno: "ENOPKG" });
    const digest = digestOf("sha224");
    expect(judge(sign({ digestOid: "2.16.840.1.101.3.4.2.4", digest }), us)).toEqual({
      verdict: "unknown",
      why: "its signature uses sha224, which not every kernel knows",
    });
    const elliptic = certificate({ ...plan, keyOid: "1.2.840.10045.2.1" });
    expect(judge(sign({ certificates: [elliptic] }), us)).toEqual({
      verdict: "unknown",
      why: expect.stringContaining('whether the key of "CN=Signer" made its signature'),
    });
  });

  test("a table that ends outside of the file, and an algorithm that is not known", () => {
    expect(judge(signed.subarray(0, signed.length - 8), us)).toMatchObject({
      code: "kernel-signature-malformed",
      errno: "ELIBBAD",
    });
    expect(judge(sign({ digestOid: "1.2.3.4" }), us)).toMatchObject({
      code: "kernel-signature-algorithm",
      errno: "ENOPKG",
    });
  });

  test("revoked, by certificate and by hash, though it is trusted too", () => {
    const { tbsFingerprint: hash } = readCertificate(derAt(embedded));
    const lists = [
      { certificates: [{ subject: "Signer", id: "22" }], hashes: [] },
      // Its issuer, whose certificate the signature does not carry.
      { certificates: [{ subject: "CA", id: "3344" }], hashes: [] },
      { certificates: [], hashes: [{ of: "tbs", hash } as const] },
    ];
    for (const list of lists) {
      expect(judge(signed, { ...us, blacklist: known(list) })).toMatchObject({
        code: "kernel-signature-revoked",
        errno: "EKEYREJECTED",
      });
    }
    // The kernel compares whole entries: dbx adds the time of revocation to the hash.
    const entry = { of: "tbs", hash: `${hash}${"00".repeat(16)}` } as const;
    const dated = { certificates: [], hashes: [entry] };
    expect(judge(signed, { ...us, blacklist: known(dated) }).verdict).toBe("good");
  });

  test("keyrings that cannot be read leave it open", () => {
    const why = unknown("root only");
    const none = { builtin: why, secondary: why, machine: why, platform: why };
    expect(judge(signed, { trusted: none, blacklist: why })).toEqual({
      verdict: "unknown",
      why: "whether its signer is trusted is not known: root only",
    });
  });

  test("2,000 mutated images are judged, and none stops it", () => {
    const rng = seeded(5);
    for (let index = 0; index < 2000; index += 1) {
      const found = judge(mutate(signed, rng), us);
      expect(["good", "refused", "unknown"]).toContain(found.verdict);
    }
  });
});
