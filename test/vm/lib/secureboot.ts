/** Keys, signed kernels and firmware for a guest under UEFI Secure Boot. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
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

/** A copy with one byte changed: `at` counts from the end where it is negative. */
export function changed(image: string, at: number): string {
  const bytes = readFileSync(image);
  const index = at < 0 ? bytes.length + at : at;
  bytes[index] = (bytes[index] ?? 0) ^ 1;
  const path = temporaryPath("changed");
  writeFileSync(path, bytes);
  return path;
}

/** A copy without its last bytes, where the signature lies. */
export function cutShort(image: string, bytes: number): string {
  const path = temporaryPath("cut");
  writeFileSync(path, readFileSync(image).subarray(0, -bytes));
  return path;
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [exit, errors] = await Promise.all([child.exited, new Response(child.stderr).text()]);
  if (exit !== 0) throw new Error(`exit ${exit} of ${command.join(" ")}\n${errors}`);
}
