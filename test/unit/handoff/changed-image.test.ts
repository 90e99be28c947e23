import { expect, test } from "bun:test";
import { parseBootRequest, parseLoadRequest } from "../../../src/handoff/request.ts";
import { changedImageWarning } from "../../../src/handoff/stages/changed-image.ts";
import { authenticodeDigest } from "../../../src/image/authenticode.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readPe } from "../../../src/image/pe.ts";
import { ascii, makePe, winCertificate, withCertificates } from "../image/build.ts";
import { certificate, name, signature } from "../image/der-build.ts";

const program = makePe([{ name: ".text", content: ascii("a program") }]);

function digestOf(file: Uint8Array): Uint8Array {
  const pe = readPe(bytesOf(file));
  if (pe?.kind !== "pe") throw new Error("no PE file");
  const digest = authenticodeDigest(bytesOf(file), pe, "sha256");
  if (typeof digest !== "string") throw new Error(digest.why);
  return Uint8Array.fromHex(digest);
}

function signed(file: Uint8Array): Uint8Array {
  const issuer = name([["CN", "CA"]]);
  const cert = certificate({ issuer, subject: name([["CN", "Signer"]]), serial: [7] });
  const blank = signature({
    digest: new Uint8Array(32),
    issuer,
    serial: [7],
    certificates: [cert],
  });
  // The table is as long with the right digest, which leaves the table out.
  const digest = digestOf(withCertificates(file, winCertificate(blank)));
  const pkcs7 = signature({ digest, issuer, serial: [7], certificates: [cert] });
  return withCertificates(file, winCertificate(pkcs7));
}

const opened = (bytes: Uint8Array) => ({
  ...bytesOf(bytes),
  path: "vmlinuz",
  canonicalPath: "/boot/vmlinuz",
  fd: undefined,
  extents: [],
});

test("an image that is not what was signed is told, and no other", () => {
  const good = signed(program);
  expect(changedImageWarning(opened(good))).toBeUndefined();
  expect(changedImageWarning(opened(program))).toBeUndefined();
  const changed = Uint8Array.from(good);
  changed.fill(0x90, 0x200, 0x208);
  expect(changedImageWarning(opened(changed))).toStartWith("/boot/vmlinuz is not what was signed");
});

test("boot asks for it, a load that is not told to does not", () => {
  expect(parseBootRequest({ kernel: "k" }).load.checkImage).toBe(true);
  expect(parseBootRequest({ kernel: "k", checkImage: false }).load.checkImage).toBe(false);
  expect(parseLoadRequest({ kernel: "k" }).checkImage).toBeUndefined();
});
