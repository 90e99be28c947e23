/** Signatures made by the tools that people have. */

import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePublicKey } from "../../../src/trust/keys.ts";
import { parseSignature } from "../../../src/trust/signature.ts";
import { verifySignature } from "../../../src/trust/verify.ts";
import { needing } from "../../needs.ts";
import { errorOf } from "./signer.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "trust-"));
  writeFileSync(join(folder, "boot.json"), '{ "format": "aegis-kexec/1" }\n'.repeat(40));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytesIn = (name: string) => Uint8Array.from(readFileSync(join(folder, name)));

function run(...command: readonly string[]): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([...command], {
    cwd: folder,
    stdin: "ignore",
  });
  expect({ command, exitCode, stderr: exitCode === 0 ? "" : stderr.toString() }).toEqual({
    command: [...command],
    exitCode: 0,
    stderr: "",
  });
  return stdout.toString();
}

const verifyFile = (key: string, signature: string) =>
  verifySignature(
    { message: bytesIn("boot.json") },
    parseSignature(bytesIn(signature), signature),
    [parsePublicKey(bytesIn(key), key)],
  );

needing("minisign").describe("minisign", () => {
  beforeAll(() => {
    run("minisign", "-G", "-W", "-p", "m.pub", "-s", "m.key");
    run("minisign", "-G", "-W", "-p", "n.pub", "-s", "n.key");
    const signing = ["minisign", "-S", "-s", "m.key", "-m", "boot.json", "-t", "generation 42"];
    run(...signing, "-H", "-x", "pre.minisig");
    run(...signing, "-l", "-x", "legacy.minisig");
  });

  test("pre-hashed and legacy verify, with the trusted comment", async () => {
    expect(parseSignature(bytesIn("pre.minisig"), "x").covers).toBe("blake2b-512");
    expect(parseSignature(bytesIn("legacy.minisig"), "x").covers).toBe("message");
    for (const signature of ["pre.minisig", "legacy.minisig"]) {
      const expected = { verified: true, trustedComment: "generation 42" };
      expect(await verifyFile("m.pub", signature)).toMatchObject(expected);
    }
  });

  test("the key id is the one that minisign prints", () => {
    const printed = /minisign public key ([0-9A-F]+)/.exec(
      readFileSync(join(folder, "m.pub"), "utf8"),
    );
    const { keyId } = parsePublicKey(bytesIn("m.pub"), "m.pub");
    expect(keyId?.replace(/^0+/, "")).toBe((printed?.[1] ?? "none").replace(/^0+/, ""));
  });

  test("another key's signature is refused by its key id", async () => {
    expect(await verifyFile("n.pub", "pre.minisig")).toMatchObject({
      verified: false,
      rejections: [{ cause: "key-id-differs" }],
    });
  });

  test("the private key is refused as such", () => {
    const error = errorOf("bad-key", () => parsePublicKey(bytesIn("m.key"), "m.key"));
    expect(error.message).toBe("public key m.key: a private key");
  });
});

needing("openssl").describe("openssl", () => {
  beforeAll(() => {
    for (const name of ["o", "q"]) {
      run("openssl", "genpkey", "-algorithm", "ed25519", "-out", `${name}.pem`);
      run("openssl", "pkey", "-in", `${name}.pem`, "-pubout", "-out", `${name}.pub`);
    }
    const signing = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", "o.pem"];
    run(...signing, "-in", "boot.json", "-out", "boot.json.sig");
  });

  test("pkeyutl -sign -rawin verifies", async () => {
    expect(await verifyFile("o.pub", "boot.json.sig")).toMatchObject({ verified: true });
  });

  test("another key's signature is refused", async () => {
    expect(await verifyFile("q.pub", "boot.json.sig")).toMatchObject({
      verified: false,
      rejections: [{ cause: "signature-wrong" }],
    });
  });

  test("private, DER and foreign keys are refused as such", () => {
    run("openssl", "pkey", "-in", "o.pem", "-pubout", "-outform", "DER", "-out", "o.der");
    run("openssl", "genpkey", "-algorithm", "ed448", "-out", "e.pem");
    run("openssl", "pkey", "-in", "e.pem", "-pubout", "-out", "e.pub");
    const whyNot = (name: string) =>
      errorOf("bad-key", () => parsePublicKey(bytesIn(name), "k")).message;
    expect(whyNot("o.pem")).toBe("public key k: a private key");
    expect(whyNot("o.der")).toBe("public key k: DER, not PEM");
    expect(whyNot("e.pub")).toBe("public key k: an Ed448 key; only Ed25519 is accepted");
  });
});
