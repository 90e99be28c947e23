/** The readers against real kernels and real signing tools, where these are present. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { arm64Refusal } from "../../../src/image/arm64.ts";
import { matchesSignature, readAuthenticode } from "../../../src/image/authenticode.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { bzImageRefusal } from "../../../src/image/bzimage.ts";
import { type ImageFacts, recogniseImage } from "../../../src/image/recognise.ts";
import { ukiSection } from "../../../src/image/uki.ts";
import { needing, testOfKernel } from "../../needs.ts";
import { ascii, makePe } from "./build.ts";

function bytes(path: string): Uint8Array {
  return Uint8Array.from(readFileSync(path));
}

describe("a bzImage", () => {
  testOfKernel("kho-x86_64", "is whole, unsigned, and would be taken", ({ path }) => {
    const facts = recogniseImage(bytesOf(bytes(path)));
    if (facts.kind !== "bzimage" || facts.pe?.kind !== "pe") throw new Error(facts.kind);
    expect(readAuthenticode(bytesOf(bytes(path)), facts.pe)).toBeUndefined();
    expect(facts).toMatchObject({
      entry64: true,
      above4G: true,
      cmdlineSize: 2047,
      cutShort: false,
      announcedSize: facts.fileSize,
      pe: { kind: "pe", machine: "x86_64", certificateTable: undefined },
    });
    expect(facts.version).toMatch(/^7\.2\.\d+\S* /);
    expect(bzImageRefusal(facts, { fiveLevelPaging: true })).toBeUndefined();
  });

  testOfKernel("kho-x86_64", "one byte less is cut short", ({ path }) => {
    const facts = recogniseImage(bytesOf(bytes(path).subarray(0, -1)));
    expect(facts).toMatchObject({ kind: "bzimage", cutShort: true });
  });
});

describe("an arm64 Image", () => {
  testOfKernel("shared-aarch64", "is an Image of 4K pages, and would be taken", ({ path }) => {
    const facts = recogniseImage(bytesOf(bytes(path)));
    if (facts.kind !== "arm64-image") throw new Error(facts.kind);
    expect(facts).toMatchObject({ bigEndian: false, pageSize: 4096, textOffset: 0 });
    expect(facts.imageSize).toBeGreaterThan(facts.fileSize);
    expect(facts.cutShort).toBeUndefined();
    expect(arm64Refusal(facts, { bigEndian: false, pageSizes: [4096] })).toBeUndefined();
  });

  testOfKernel("shared-aarch64", "most of it missing is cut short", ({ path }) => {
    const whole = bytes(path);
    const facts = recogniseImage(bytesOf(whole.subarray(0, whole.length >> 3)));
    expect(facts).toMatchObject({ kind: "arm64-image", cutShort: expect.any(String) });
  });
});

needing("sbsign", "openssl").describe("sbsign", () => {
  let directory = "";
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), "image-test-"));
    run(
      ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "30"],
      ...["-keyout", "key.pem", "-out", "cert.pem", "-subj", "/O=Example, Inc./CN=Test Signer"],
    );
    run("openssl", "x509", "-in", "cert.pem", "-outform", "DER", "-out", "cert.der");
  });
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  function run(...command: string[]): void {
    const { exitCode, stderr } = Bun.spawnSync(command, { cwd: directory });
    if (exitCode !== 0) throw new Error(`${command[0]}: ${stderr}`);
  }

  function sign(file: Uint8Array): Uint8Array {
    writeFileSync(join(directory, "unsigned"), file);
    run("sbsign", "--key", "key.pem", "--cert", "cert.pem", "--output", "signed", "unsigned");
    return bytes(join(directory, "signed"));
  }

  function firstSignature(file: Uint8Array, facts: ImageFacts = recogniseImage(bytesOf(file))) {
    if (!("pe" in facts) || facts.pe?.kind !== "pe") throw new Error(facts.kind);
    const signature = readAuthenticode(bytesOf(file), facts.pe);
    const found = signature?.signatures[0];
    if (found === undefined) throw new Error(signature?.problem?.why ?? "unsigned");
    return { pe: facts.pe, found, matches: matchesSignature(bytesOf(file), facts.pe, found) };
  }

  const uki = makePe([
    { name: ".text", content: new Uint8Array(5000).fill(0x90) },
    { name: ".linux", content: ascii("kernel") },
  ]);

  test("who signed is named, with the certificate's own identifiers", () => {
    const { found, matches } = firstSignature(sign(uki));
    const certificate = bytes(join(directory, "cert.der"));
    expect(matches).toBe(true);
    expect(found.signers).toHaveLength(1);
    expect(found.signers[0]).toMatchObject({
      issuer: { text: "CN=Test Signer,O=Example\\, Inc." },
      digestAlgorithm: "sha256",
      coversContent: true,
      certificate: {
        subject: { commonName: "Test Signer", organization: "Example, Inc." },
        fingerprint: new Bun.CryptoHasher("sha256").update(certificate).digest("hex"),
        subjectKeyId: expect.stringMatching(/^[0-9a-f]{40}$/),
      },
    });
  });

  test("a change after signing is told from none", () => {
    const signed = sign(uki);
    signed[600] = (signed[600] ?? 0) ^ 1;
    expect(firstSignature(signed).matches).toBe(false);
  });

  test("a second signature is read as well, and covers the same", () => {
    const twice = sign(sign(uki));
    const facts = recogniseImage(bytesOf(twice));
    const signature = facts.kind === "uki" ? readAuthenticode(bytesOf(twice), facts.pe) : undefined;
    if (facts.kind !== "uki" || signature === undefined) throw new Error(facts.kind);
    expect(signature.signatures).toHaveLength(2);
    for (const one of signature.signatures) {
      expect(matchesSignature(bytesOf(twice), facts.pe, one)).toBe(true);
    }
  });

  testOfKernel("kho-x86_64", "a signed bzImage stays a whole kernel", ({ path }) => {
    const signed = sign(bytes(path));
    const facts = recogniseImage(bytesOf(signed));
    expect(facts).toMatchObject({ kind: "bzimage", cutShort: false });
    expect(firstSignature(signed, facts).matches).toBe(true);
  });
});

needing("objcopy").describe("objcopy", () => {
  test("a UKI made by it gives back what was put in", () => {
    const directory = mkdtempSync(join(tmpdir(), "image-test-"));
    const contents = {
      cmdline: ascii("root=LABEL=A quiet"),
      linux: new Uint8Array(70_000).fill(1),
    };
    try {
      const stub = makePe([{ name: ".text", content: new Uint8Array(5000).fill(0x90) }]);
      writeFileSync(join(directory, "stub"), stub);
      const options = Object.entries(contents).flatMap(([name, content], index) => {
        writeFileSync(join(directory, name), content);
        const address = `.${name}=0x${(0x100000 * (index + 1)).toString(16)}`;
        return ["--add-section", `.${name}=${name}`, "--change-section-vma", address];
      });
      const made = Bun.spawnSync(["objcopy", ...options, "stub", "uki"], { cwd: directory });
      expect(made.stderr.toString()).toBe("");
      const source = bytesOf(bytes(join(directory, "uki")));
      const facts = recogniseImage(source);
      if (facts.kind !== "uki") throw new Error(facts.kind);
      for (const [name, content] of Object.entries(contents)) {
        const section = ukiSection(facts, `.${name}`);
        expect(section && source.read(section.offset, section.size)).toEqual(content);
      }
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
