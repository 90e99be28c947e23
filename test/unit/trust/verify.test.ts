import { describe, expect, test } from "bun:test";
import { parsePublicKey } from "../../../src/trust/keys.ts";
import { parseSignature } from "../../../src/trust/signature.ts";
import { notVerifiedError, verifySignature } from "../../../src/trust/verify.ts";
import { mutate, seeded } from "../fuzz.ts";
import { bytesOf, errorOf, joined, refusedOr, signerOf } from "./signer.ts";

const org = signerOf("22".repeat(32));
const other = signerOf("33".repeat(32));
const message = bytesOf(JSON.stringify({ format: "aegis-kexec/1", padding: "x".repeat(600) }));
const digest = new Bun.CryptoHasher("blake2b512").update(message).digest();

const minisignKey = parsePublicKey(bytesOf(org.minisignKey()), "org.pub");
const pemKey = parsePublicKey(bytesOf(org.pem), "org.pem");
const otherPem = parsePublicKey(bytesOf(other.pem), "other.pem");

const read = (file: Uint8Array | string) =>
  parseSignature(typeof file === "string" ? bytesOf(file) : file, "boot.json.minisig");
const prehashed = org.minisign(message);
const legacy = org.minisign(message, { isLegacy: true });
const raw = org.sign(message);

describe("accepted", () => {
  test("pre-hashed, by the bytes and by their digest", async () => {
    const signature = read(prehashed);
    expect(signature.covers).toBe("blake2b-512");
    const expected = { verified: true, key: minisignKey, trustedComment: "timestamp:1\tfile:x" };
    expect(await verifySignature({ message }, signature, [minisignKey])).toMatchObject(expected);
    expect(await verifySignature({ digest }, signature, [minisignKey])).toMatchObject(expected);
  });

  test("legacy", async () => {
    const signature = read(legacy);
    expect(signature.covers).toBe("message");
    expect(await verifySignature({ message }, signature, [minisignKey])).toMatchObject({
      verified: true,
      trustedComment: "timestamp:1\tfile:x",
    });
  });

  test("raw", async () => {
    const signature = read(raw);
    expect(signature).toMatchObject({ format: "raw", covers: "message" });
    expect(await verifySignature({ message }, signature, [pemKey])).toMatchObject({
      verified: true,
      trustedComment: undefined,
    });
  });

  test("CRLF line ends, no line end at the end, any untrusted comment", async () => {
    for (const file of [
      prehashed.replaceAll("\n", "\r\n"),
      prehashed.trimEnd(),
      prehashed.replace(/:.*/, ": ☃"),
    ]) {
      expect((await verifySignature({ message }, read(file), [minisignKey])).verified).toBe(true);
    }
  });

  test("the key that signed is named, whatever its place", async () => {
    for (const keys of [
      [pemKey, otherPem],
      [otherPem, pemKey],
    ]) {
      const result = await verifySignature({ message }, read(raw), keys);
      expect(result).toMatchObject({ verified: true, key: pemKey });
    }
  });
});

describe("not verified, with the reason for every key", () => {
  const causes = async (file: Uint8Array | string, keys = [minisignKey], signed = message) => {
    const result = await verifySignature({ message: signed }, read(file), keys);
    if (result.verified) throw new Error("verified");
    return { result, causes: result.rejections.map(({ cause }) => cause) };
  };

  test("no key at all", async () => {
    const { result, causes: none } = await causes(prehashed, []);
    expect(none).toEqual([]);
    expect(notVerifiedError("boot.json", result).code).toBe("untrusted");
  });

  test("another key id, although the key is right", async () => {
    const key = parsePublicKey(bytesOf(org.minisignKey("FFFFFFFFFFFFFFFF")), "old.pub");
    const { result, causes: found } = await causes(prehashed, [key]);
    expect(found).toEqual(["key-id-differs"]);
    const error = notVerifiedError("boot.json", result);
    expect(error.code).toBe("untrusted");
    expect(error.message).toBe(
      "boot.json is not trusted: old.pub (minisign:FFFFFFFFFFFFFFFF): " +
        "signed with key 0123456789ABCDEF, and this is FFFFFFFFFFFFFFFF",
    );
  });

  test("the right key id on a key that did not sign", async () => {
    const key = parsePublicKey(bytesOf(other.minisignKey()), "other.pub");
    const { result, causes: found } = await causes(prehashed, [key, otherPem]);
    expect(found).toEqual(["signature-wrong", "signature-wrong"]);
    const error = notVerifiedError("boot.json", result);
    expect(error.code).toBe("bad-signature");
    expect(error.message).toContain("other.pub");
    expect(error.message).toContain("other.pem");
  });

  test("the signature of another file", async () => {
    const signed = joined(message, bytesOf(" "));
    for (const file of [prehashed, legacy]) {
      expect((await causes(file, [minisignKey], signed)).causes).toEqual(["signature-wrong"]);
    }
    expect((await causes(raw, [pemKey], signed)).causes).toEqual(["signature-wrong"]);
  });

  test("a changed trusted comment, and one from another signature of the same key", async () => {
    expect((await causes(prehashed.replace("file:x", "file:y"))).causes).toEqual([
      "trusted-comment-wrong",
    ]);
    const lines = prehashed.split("\n");
    const donor = org.minisign(bytesOf("another file"), { comment: "generation 99" }).split("\n");
    const mixed = [...lines.slice(0, 2), ...donor.slice(2)].join("\n");
    expect((await causes(mixed)).causes).toEqual(["trusted-comment-wrong"]);
  });

  test("a legacy signature relabelled as pre-hashed, and the reverse", async () => {
    // RWQ and RUQ are the base64 of Ed and ED with the first byte of the key id.
    const relabel = (file: string, from: string, to: string) =>
      file.replace(`\n${from}`, `\n${to}`);
    for (const file of [relabel(legacy, "RWT", "RUT"), relabel(prehashed, "RUT", "RWT")]) {
      expect([legacy, prehashed]).not.toContain(file);
      expect((await causes(file)).causes).toEqual(["signature-wrong"]);
    }
  });

  test("a pre-hashed signature cannot be passed off as one of the digest itself", async () => {
    const signature = read(prehashed);
    const asRaw = read(signature.signature);
    const signed = { message: digest };
    await expect(verifySignature(signed, asRaw, [pemKey])).rejects.toThrow("length of a digest");
  });

  test("a form that needs the file, where only its digest is at hand", async () => {
    for (const file of [legacy, raw]) {
      const attempt = verifySignature({ digest }, read(file), [pemKey]);
      await expect(attempt).rejects.toMatchObject({ code: "bad-signature" });
    }
    const short = verifySignature({ digest: digest.slice(1) }, read(prehashed), [minisignKey]);
    await expect(short).rejects.toThrow(RangeError);
  });
});

describe("one flipped bit at 200 places", () => {
  const rng = seeded(200);
  const flipped = (bytes: Uint8Array, from: number) => {
    const copy = bytes.slice();
    const at = from + rng.below(copy.length - from);
    copy[at] = (copy[at] ?? 0) ^ (1 << rng.below(8));
    return copy;
  };
  const forms = [
    {
      form: "pre-hashed",
      file: bytesOf(prehashed),
      key: minisignKey,
      from: prehashed.indexOf("\n"),
    },
    { form: "legacy", file: bytesOf(legacy), key: minisignKey, from: legacy.indexOf("\n") },
    { form: "raw", file: raw, key: pemKey, from: 0 },
  ];
  for (const { form, file, key, from } of forms) {
    test(`of the file, ${form}`, async () => {
      const signature = read(file);
      for (let count = 0; count < 200; count += 1) {
        const signed = { message: flipped(message, 0) };
        expect((await verifySignature(signed, signature, [key])).verified).toBe(false);
      }
    });
    test(`of the signature, ${form}`, async () => {
      for (let count = 0; count < 200; count += 1) {
        const changed = flipped(file, from);
        const signature = refusedOr("bad-signature", () => read(changed));
        if (signature === undefined) continue;
        expect((await verifySignature({ message }, signature, [key])).verified).toBe(false);
      }
    });
  }
});

describe("signatures refused by their form, each in its own words", () => {
  const whyNot = (file: Uint8Array | string) => {
    const { message: text } = errorOf("bad-signature", () => read(file));
    expect(text).toStartWith("signature boot.json.minisig: ");
    return text.slice("signature boot.json.minisig: ".length);
  };
  const lines = prehashed.split("\n");
  const withLine = (index: number, line: string) => lines.with(index, line).join("\n");
  const highS = org.sign(message).fill(0xff, 32);
  const malformed = "is malformed: S is not below the group order, so it is not canonical";
  const unknown = joined(bytesOf("EX"), new Uint8Array(72)).toBase64();
  const data = Uint8Array.fromBase64(lines[1] ?? "");
  const cases: readonly (readonly [what: string, file: Uint8Array | string, why: string])[] = [
    ["nothing", "", "the file is empty"],
    ["over 16 KiB", new Uint8Array(16385), "larger than 16384 bytes"],
    ["63 bytes", raw.slice(1), "63 bytes where a raw signature has 64"],
    ["65 bytes", joined(raw, new Uint8Array(1)), "65 bytes where a raw signature has 64"],
    ["base64 of a raw signature", raw.toBase64(), "text, but not minisign's"],
    [
      "PGP",
      "-----BEGIN PGP SIGNATURE-----\n",
      "it is an OpenPGP signature, which is not checked here",
    ],
    // As gpg --detach-sign writes it: an old header, version 4, RSA.
    [
      "binary PGP",
      Uint8Array.of(0x89, 0x02, 0x33, 0x04, 0x00, 0x01, 0x08),
      "it is an OpenPGP signature, which is not checked here",
    ],
    ["PEM", "-----BEGIN PUBLIC KEY-----\n", "PEM; minisign's and raw signatures are accepted"],
    ["a comment alone", "untrusted comment: x\n", "no signature after the untrusted comment"],
    ["two lines", lines.slice(0, 2).join("\n"), "no trusted comment"],
    ["three lines", lines.slice(0, 3).join("\n"), "no signature of the trusted comment"],
    ["two signatures", prehashed + prehashed, "more than one signature, or text after it"],
    [
      "no trusted comment",
      withLine(2, "x"),
      'the third line does not start with "trusted comment:"',
    ],
    [
      "a control character",
      withLine(2, "trusted comment: \u001b[2J"),
      "a control character in the trusted comment",
    ],
    ["broken base64", withLine(1, "RUT?"), "the signature is not base64"],
    [
      "a second spelling",
      withLine(3, `${lines[3]?.slice(0, -3)}h==`),
      "the trusted comment's signature is not base64",
    ],
    [
      "short",
      withLine(1, data.slice(0, -1).toBase64()),
      "73 bytes where minisign's signature has 74",
    ],
    [
      "short global",
      withLine(3, raw.slice(1).toBase64()),
      "the trusted comment's signature has 63 bytes",
    ],
    ["an unknown algorithm", withLine(1, unknown), "an algorithm other than minisign's Ed and ED"],
    ["raw, S too high", highS, `the signature ${malformed}`],
    [
      "S too high",
      withLine(1, joined(data.slice(0, 10), highS).toBase64()),
      `the signature ${malformed}`,
    ],
    [
      "global S too high",
      withLine(3, highS.toBase64()),
      `the trusted comment's signature ${malformed}`,
    ],
  ];
  for (const [what, file, why] of cases) test(what, () => expect(whyNot(file)).toBe(why));
});

test("hostile bytes: refused, or well formed and not verified", async () => {
  const rng = seeded(2);
  const samples = [bytesOf(prehashed), bytesOf(legacy), raw];
  const wrong = joined(message, bytesOf("!"));
  let wellFormed = 0;
  for (let count = 0; count < 3000; count += 1) {
    const bytes = mutate(rng.pick(samples), rng);
    const signature = refusedOr("bad-signature", () => read(bytes));
    if (signature === undefined) continue;
    wellFormed += 1;
    expect(signature.signature.length).toBe(64);
    const result = await verifySignature({ message: wrong }, signature, [minisignKey, pemKey]);
    expect(result.verified).toBe(false);
  }
  expect(wellFormed).toBeGreaterThan(100);
});

test("a signature without a key's name may be of another key or another file, and that is said", async () => {
  const hintFor = async (file: Uint8Array | string, key: typeof pemKey) => {
    const result = await verifySignature({ message: bytesOf("another") }, read(file), [key]);
    if (result.verified) throw new Error("verified");
    return notVerifiedError("boot.json", result).hint;
  };
  expect(await hintFor(raw, pemKey)).toMatch(/another key signed it or it is another file/);
  expect(await hintFor(prehashed, minisignKey)).not.toMatch(/nobody can tell/);
});
