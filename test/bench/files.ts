/** What the programs are given: archives that no compressor makes smaller, signatures, a manifest. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { archiveChunks, type CpioEntry } from "../../src/initramfs/cpio.ts";
import { temporaryFolder } from "../vm/lib/host.ts";
import { cmdline, partSize } from "./works.ts";

export interface BenchFiles {
  /** Where they all are; minisign's secret key too. */
  readonly folder: string;
  /** The larger kernel. */
  readonly kernel: string;
  /** Archives of `partSize` MiB each. */
  readonly parts: readonly string[];
  /** /boot/small.img: 1 MiB. */
  readonly small: string;
  /** /boot/initrd.img: all parts in one file. */
  readonly initrd: string;
  /**
   * Two generations, boot.json with vmlinuz and initrd.img, small.json with small-vmlinuz and
   * small.img: all but the archives, and the signatures of everything.
   */
  readonly generation: readonly { readonly name: string; readonly source: string }[];
  /** minisign's public key, and OpenSSL's of another pair. */
  readonly minisignKey: string;
  readonly opensslKey: string;
  /** An archive with the secret, as `cpio` would make it for the programs that cannot. */
  readonly keyArchive: string;
}

const secretKeyName = "org.key";

/** How many parts make /boot/initrd.img, the signed one. */
const signedParts = 3;

/**
 * Writes all files. Signing needs `minisign` on this host.
 * @param kernels the images that the manifests name
 */
export async function benchFiles(kernels: {
  readonly debian: string;
  readonly small: string;
}): Promise<BenchFiles> {
  const folder = temporaryFolder("bench");
  const parts = Array.from({ length: signedParts }, (_, index) => {
    const path = join(folder, `part-${index + 1}.img`);
    writeFileSync(path, archive(index + 1, partSize));
    return path;
  });
  const initrd = join(folder, "initrd.img");
  writeFileSync(initrd, Buffer.concat(parts.map((part) => readFileSync(part))));
  const small = join(folder, "small.img");
  writeFileSync(small, archive(parts.length + 1, 1));
  const manifest = join(folder, "boot.json");
  writeManifest(manifest, "x86_64", { name: "vmlinuz", path: kernels.debian }, initrd);
  const smallManifest = join(folder, "small.json");
  writeManifest(smallManifest, "x86_64", { name: "small-vmlinuz", path: kernels.small }, small);

  const minisignKey = join(folder, "org.pub");
  const secretKey = join(folder, secretKeyName);
  await minisign("-G", "-W", "-p", minisignKey, "-s", secretKey);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const opensslKey = join(folder, "org.pem");
  writeFileSync(opensslKey, publicKey.export({ type: "spki", format: "pem" }));

  const generation = [
    { name: "boot.json", source: manifest },
    { name: "small.json", source: smallManifest },
  ];
  for (const [name, file] of [
    ["boot.json", manifest],
    ["vmlinuz", kernels.debian],
    ["small-vmlinuz", kernels.small],
    ["initrd.img", initrd],
    ["small.json", smallManifest],
    ["small.img", small],
  ] as const) {
    const minisig = await signWithMinisign(folder, file, join(folder, `${name}.minisig`));
    const raw = join(folder, `${name}.sig`);
    writeFileSync(raw, sign(null, readFileSync(file), privateKey));
    generation.push(
      { name: `${name}.minisig`, source: minisig },
      { name: `${name}.sig`, source: raw },
    );
  }
  const keyArchive = join(folder, "key.cpio");
  const key: CpioEntry[] = [
    { type: "directory", path: "run" },
    { type: "file", path: "run/disk.key", data: random(32, 99), mode: 0o400 },
  ];
  writeFileSync(keyArchive, Buffer.concat([...archiveChunks(key)]));
  return {
    folder,
    kernel: kernels.debian,
    parts,
    small,
    initrd,
    generation,
    minisignKey,
    opensslKey,
    keyArchive,
  };
}

/** A generation of a kernel and one archive, which lie beside the manifest. */
export function writeManifest(
  path: string,
  architecture: "x86_64" | "aarch64",
  kernel: { readonly name: string; readonly path: string },
  initrd: string,
): void {
  const described = {
    format: "aegis-kexec/1",
    generation: 42,
    architecture,
    kernel: { path: kernel.name, ...described256(kernel.path) },
    initrds: [{ path: basename(initrd), ...described256(initrd) }],
    cmdline,
  };
  writeFileSync(path, `${JSON.stringify(described, undefined, 2)}\n`);
}

/** An archive of exactly so many MiB: one file of random bytes, and NULs as padding. */
export function archive(seed: number, megabytes: number): Uint8Array {
  const size = megabytes << 20;
  const part = new Uint8Array(size);
  // Room for the header, the name, the trailer and the padding to a multiple of 512
  const data = random(size - 1024, seed);
  let at = 0;
  for (const chunk of archiveChunks([{ type: "file", path: `filling-${seed}`, data }])) {
    part.set(chunk, at);
    at += chunk.length;
  }
  return part;
}

/** The same random bytes for the same seed, wherever: SHA-256 in counter mode, then widened. */
export function random(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(Math.ceil(length / 32) * 32);
  for (let at = 0; at < bytes.length; at += 32) {
    bytes.set(createHash("sha256").update(`${seed} ${at}`).digest(), at);
  }
  return bytes.subarray(0, length);
}

function described256(path: string): { size: number; sha256: string } {
  const bytes = readFileSync(path);
  return { size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Signs a file with the key of `benchFiles`. @returns the signature's path, as given */
export async function signWithMinisign(
  folder: string,
  file: string,
  signature: string,
): Promise<string> {
  await minisign("-S", "-s", join(folder, secretKeyName), "-m", file, "-x", signature);
  return signature;
}

async function minisign(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["minisign", ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`minisign ${args[0]}: ${said.trim()}`);
}
