/** Keys, signed kernels and firmware for a guest under UEFI Secure Boot. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { bytesOf } from "../../../src/image/bytes.ts";
import { derAt } from "../../../src/image/der.ts";
import { readPe } from "../../../src/image/pe.ts";
import { readCertificate } from "../../../src/image/x509.ts";
import { temporaryFolder, temporaryPath } from "./host.ts";
import type { Need } from "./suite.ts";

/** Debian's firmware, with its test key as PK, KEK and db: the package ovmf. */
export const firmware = {
  code: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
  variables: "/usr/share/OVMF/OVMF_VARS_4M.snakeoil.fd",
};
const snakeoil = {
  key: "/usr/share/ovmf/PkKek-1-snakeoil.key",
  certificate: "/usr/share/ovmf/PkKek-1-snakeoil.pem",
  passphrase: "snakeoil",
};

export const secureBootNeeds: readonly Need[] = [
  "tool:sbsign",
  "tool:openssl",
  `file:${firmware.code}`,
  `file:${firmware.variables}`,
  `file:${snakeoil.key}`,
];

/** A key pair, without passphrase. */
export interface KeyPair {
  readonly key: string;
  readonly certificate: string;
}

/** The key that the firmware trusts. */
export async function enrolledKey(): Promise<KeyPair> {
  const key = temporaryPath("snakeoil.key");
  const { certificate, passphrase } = snakeoil;
  await run(["openssl", "rsa", "-in", snakeoil.key, "-passin", `pass:${passphrase}`, "-out", key]);
  return { key, certificate };
}

/** A key that nobody knows. */
export async function foreignKey(name: string): Promise<KeyPair> {
  const folder = temporaryFolder("key");
  const pair = { key: join(folder, "key"), certificate: join(folder, "certificate") };
  await run([
    ...["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650"],
    ...["-subj", `/CN=${name}`, "-keyout", pair.key, "-out", pair.certificate],
  ]);
  return pair;
}

/** A copy of the image without any signature. */
export async function unsigned(image: string): Promise<string> {
  const path = temporaryPath("unsigned");
  writeFileSync(path, readFileSync(image));
  // It fails where there is nothing to remove.
  await Bun.spawn(["sbattach", "--remove", path], { stdout: "ignore", stderr: "ignore" }).exited;
  return path;
}

/** A copy of the image with this signature and no other. */
export async function signed(image: string, { key, certificate }: KeyPair): Promise<string> {
  const path = temporaryPath("signed");
  const bare = await unsigned(image);
  await run(["sbsign", "--key", key, "--cert", certificate, "--output", path, bare]);
  return path;
}

/** Where the parts of an image's first signature are, as offsets in the file. */
export interface SignaturePlaces {
  /** WIN_CERTIFICATE, before the PKCS#7 message. */
  readonly wrapper: number;
  /** The last byte of the digest algorithm by which the signer signed. */
  readonly signerDigest: number;
  /** The year of the signing time, two digits. */
  readonly signedYear: number;
  /** The digest of what was signed. */
  readonly messageDigest: number;
}

/** Finds them in an image that sbsign signed with SHA-256. */
export function signaturePlaces(image: string): SignaturePlaces {
  const bytes = readFileSync(image);
  const pe = readPe(bytesOf(bytes));
  const table = pe?.kind === "pe" ? pe.certificateTable : undefined;
  if (table === undefined) throw new Error(`${image} is not signed`);
  const behindLast = (hex: string): number => {
    const wanted = Buffer.from(hex, "hex");
    const at = bytes.lastIndexOf(wanted);
    if (at < table.offset) throw new Error(`the signature of ${image} has no ${hex}`);
    return at + wanted.length;
  };
  return {
    wrapper: table.offset,
    // The identifiers of SHA-256, signingTime (UTCTime) and messageDigest, up to their values.
    signerDigest: behindLast("0609608648016503040201") - 1,
    signedYear: behindLast("06092a864886f70d010905310f170d"),
    messageDigest: behindLast("06092a864886f70d01090431220420"),
  };
}

// EFI_IMAGE_SECURITY_DATABASE_GUID, EFI_CERT_X509_SHA256_GUID (UEFI specification, 32.4 and 8.2).
const securityDatabase = "cbb219d73a3d9645a3bcdad00e67656f";
const hashOfCertificate = "92a4d23bc0967940b420fcf98ef103ed";

/**
 * The firmware with this certificate's hash on its revocation list. The variable is written as the
 * firmware keeps it (MdeModulePkg/Include/Guid/VariableFormat.h of EDK2), so no key has to sign it.
 * The kernel compares whole entries, so this one leaves out the time of revocation.
 */
export function revoking(certificate: string): typeof firmware {
  const lines = readFileSync(certificate, "utf8").replace(/-----[^-]+-----|\s/g, "");
  const { tbsFingerprint } = readCertificate(derAt(Uint8Array.fromBase64(lines)));
  const list = Buffer.alloc(28 + 16 + 32);
  list.write(hashOfCertificate, "hex");
  list.writeUInt32LE(list.length, 16);
  list.writeUInt32LE(16 + 32, 24);
  list.write(tbsFingerprint, 28 + 16, "hex");

  const store = readFileSync(firmware.variables);
  // Behind the header of the volume, whose length is at 48, comes the store's own.
  let at = store.readUInt16LE(48) + 28;
  let old: Buffer | undefined;
  while (store.readUInt16LE(at) === 0x55aa) {
    const [nameSize, dataSize] = [store.readUInt32LE(at + 36), store.readUInt32LE(at + 40)];
    const end = at + 60 + nameSize + dataSize;
    const isList = store.toString("hex", at + 44, at + 60) === securityDatabase;
    const name = store.toString("utf16le", at + 60, at + 60 + nameSize);
    if (store[at + 2] === 0x3f && isList && name === "dbx\0") {
      old = Buffer.from(store.subarray(at, end));
      // VAR_DELETED clears its bit.
      store[at + 2] = 0x3f & 0xfd;
    }
    at = (end + 3) & ~3;
  }
  if (old === undefined) throw new Error(`${firmware.variables} has no dbx`);
  old.writeUInt32LE(old.readUInt32LE(40) + list.length, 40);
  Buffer.concat([old, list]).copy(store, at);
  const variables = temporaryPath("variables");
  writeFileSync(variables, store);
  return { ...firmware, variables };
}

/** A copy with one byte changed: `at` counts from the end where it is negative. */
export function changed(image: string, at: number): string {
  const bytes = readFileSync(image);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  const path = temporaryPath("changed");
  writeFileSync(path, bytes);
  return path;
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [exit, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (exit !== 0) throw new Error(`exit ${exit} of ${command.join(" ")}\n${errors}`);
}
