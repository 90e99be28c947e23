/** m of n: keys are counted once each, by their bytes, over every form of signature. */
import { describe, expect, test } from "bun:test";
import { type PublicKey, parsePublicKey } from "../../../src/trust/keys.ts";
import { quorumError, quorumOf } from "../../../src/trust/quorum.ts";
import { type DetachedSignature, parseSignature } from "../../../src/trust/signature.ts";
import { verifySignature } from "../../../src/trust/verify.ts";
import { bytesOf, signerOf } from "./signer.ts";

const message = bytesOf("what is signed");
const [ann, ben, cid] = ["11", "22", "33"].map((byte) => signerOf(byte.repeat(32)));
if (ann === undefined || ben === undefined || cid === undefined) throw new Error("no signers");
const ids = { ann: "000000000000000A", ben: "000000000000000B" };

const keys = {
  ann: parsePublicKey(bytesOf(ann.minisignKey(ids.ann)), "ann.pub"),
  annAgain: parsePublicKey(bytesOf(ann.pem), "ann-again.pub"),
  ben: parsePublicKey(bytesOf(ben.minisignKey(ids.ben)), "ben.pub"),
  cid: parsePublicKey(bytesOf(cid.pem), "cid.pub"),
};

const signatures = {
  ann: parseSignature(bytesOf(ann.minisign(message, { keyId: ids.ann })), "ann.minisig"),
  annRaw: parseSignature(ann.sign(message), "ann.sig"),
  annLegacy: parseSignature(
    bytesOf(ann.minisign(message, { keyId: ids.ann, isLegacy: true })),
    "ann-legacy.minisig",
  ),
  ben: parseSignature(bytesOf(ben.minisign(message, { keyId: ids.ben })), "ben.minisig"),
  cid: parseSignature(cid.sign(message), "cid.sig"),
  benOfOther: parseSignature(
    bytesOf(ben.minisign(bytesOf("something else"), { keyId: ids.ben })),
    "ben-other.minisig",
  ),
};

async function counted(
  given: readonly DetachedSignature[],
  trusted: readonly PublicKey[],
  threshold: number,
) {
  return quorumOf(given, trusted, threshold, (signature, left) =>
    verifySignature({ message }, signature, left),
  );
}

const names = async (...args: Parameters<typeof counted>) =>
  (await counted(...args)).signers.map(({ key }) => key.name);

describe("enough keys", () => {
  const all = [keys.ann, keys.ben, keys.cid];
  test.each([
    ["two forms of two keys", [signatures.ann, signatures.cid], ["ann.pub", "cid.pub"]],
    ["in the other order", [signatures.cid, signatures.ann], ["cid.pub", "ann.pub"]],
    [
      "one bad of three",
      [signatures.benOfOther, signatures.cid, signatures.ann],
      ["cid.pub", "ann.pub"],
    ],
    [
      "one key twice, then another",
      [signatures.ann, signatures.annRaw, signatures.ben],
      ["ann.pub", "ben.pub"],
    ],
  ])("%s", async (_, given, expected) => {
    expect(await names(given, all, 2)).toEqual(expected);
  });

  test("no more are looked at than are needed", async () => {
    let asked = 0;
    await quorumOf([signatures.ann, signatures.ben, signatures.cid], all, 1, (signature, left) => {
      asked++;
      return verifySignature({ message }, signature, left);
    });
    expect(asked).toBe(1);
  });
});

describe("too few keys", () => {
  test.each([
    ["one key twice", [signatures.ann, signatures.ann]],
    ["one key in three forms", [signatures.ann, signatures.annRaw, signatures.annLegacy]],
    ["one, and one of another file", [signatures.ann, signatures.benOfOther]],
    ["one, and one of a key that is not trusted", [signatures.ann, signatures.cid]],
  ])("%s", async (_, given) => {
    const quorum = await counted(given, [keys.ann, keys.ben], 2);
    expect(quorum.signers.map(({ key }) => key.name)).toEqual(["ann.pub"]);
    const error = quorumError("boot.json", quorum, 2);
    expect([error.code, error.exit]).toEqual(["untrusted", 5]);
    expect(error.message).toContain("2 keys must have signed it, and one has");
  });

  test("two names of one key are one key", async () => {
    const quorum = await counted([signatures.ann, signatures.annRaw], [keys.ann, keys.annAgain], 2);
    expect(quorum.signers).toHaveLength(1);
  });

  test("none", async () => {
    const quorum = await counted([signatures.benOfOther], [keys.ben], 2);
    expect(quorumError("boot.json", quorum, 2).code).toBe("bad-signature");
  });
});
