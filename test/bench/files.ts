/** What the programs are given: archives that no compressor makes smaller, signatures, a manifest. */
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { archiveChunks, type CpioEntry } from "../../src/initramfs/cpio.ts";
import { temporaryFolder } from "../vm/lib/host.ts";
import { cmdline, partSize } from "./works.ts";

export interface BenchFiles {
  /** Archives of `partSize` MiB each. */
  readonly parts: readonly string[];
  /** The generation: boot.json and the signatures of it, of the kernel and of the initramfs. */
  readonly generation: readonly { readonly name: string; readonly source: string }[];
  /** minisign's public key, and OpenSSL's of another pair. */
  readonly minisignKey: string;
  readonly opensslKey: string;
  /** An archive with the secret, as `cpio` would make it for the programs that cannot. */
  readonly keyArchive: string;
}

/** How many parts make /boot/initrd.img, the signed one. */
const signedParts = 3;

/**
 * Writes all files. Signing needs `minisign` on this host.
 * @param kernelPath the image that the manifest names
 */
export async function benchFiles(kernelPath: string): Promise<BenchFiles> {
  const folder = temporaryFolder("bench");
  const parts = Array.from({ length: signedParts }, (_, index) => {
    const path = join(folder, `part-${index + 1}.img`);
    writeFileSync(path, archivePart(index + 1));
    return path;
  });
  const initrd = join(folder, "initrd.img");
  writeFileSync(initrd, Buffer.concat(parts.map((part) => readFileSync(part))));
  const manifest = join(folder, "boot.json");
  const described = {
    format: "aegis-kexec/1",
    generation: 42,
    architecture: "x86_64",
    kernel: { path: "vmlinuz", ...described256(kernelPath) },
    initrds: [{ path: "initrd.img", ...described256(initrd) }],
    cmdline,
  };
  writeFileSync(manifest, `${JSON.stringify(described, undefined, 2)}\n`);

  const minisignKey = join(folder, "org.pub");
  const secretKey = join(folder, "org.key");
  await minisign("-G", "-W", "-p", minisignKey, "-s", secretKey);
  const { publicKey, privateKey } = generateKeyPairSync("ed25519");
  const opensslKey = join(folder, "org.pem");
  writeFileSync(opensslKey, publicKey.export({ type: "spki", format: "pem" }));

  const generation = [{ name: "boot.json", source: manifest }];
  for (const [name, file] of [
    ["boot.json", manifest],
    ["vmlinuz", kernelPath],
    ["initrd.img", initrd],
  ] as const) {
    const minisig = join(folder, `${name}.minisig`);
    await minisign("-S", "-s", secretKey, "-m", file, "-x", minisig);
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
  return { parts, generation, minisignKey, opensslKey, keyArchive };
}

/** An archive of exactly `partSize` MiB: one file of random bytes, and NULs as padding. */
function archivePart(seed: number): Uint8Array {
  const size = partSize << 20;
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

async function minisign(...args: readonly string[]): Promise<void> {
  const child = Bun.spawn(["minisign", ...args], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`minisign ${args[0]}: ${said.trim()}`);
}
