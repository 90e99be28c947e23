/** Copies of a secret in a guest's whole memory, and a secret to look for. */
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import type { Guest } from "./guest.ts";
import { temporaryPath } from "./host.ts";

/** Where `needle` is in the guest's physical memory, of so many MiB: addresses. */
export async function copiesIn(guest: Guest, needle: string, memory: number): Promise<number[]> {
  const size = memory << 20;
  const path = temporaryPath("memory");
  await guest.monitor(`pmemsave 0 ${size} "${path}"`);
  const file = openSync(path, "r");
  const step = 64 << 20;
  const buffer = Buffer.alloc(step + needle.length);
  const found: number[] = [];
  for (let at = 0; at < size; at += step) {
    // The last bytes are read again with the next step: a copy that spans both is counted once.
    const got = readSync(file, buffer, 0, step + needle.length - 1, at);
    const bytes = buffer.subarray(0, got);
    for (let hit = bytes.indexOf(needle); hit >= 0; hit = bytes.indexOf(needle, hit + 1)) {
      found.push(at + hit);
    }
  }
  closeSync(file);
  rmSync(path);
  return found;
}

/** Bits of include/uapi/linux/kernel-page-flags.h and the kernel's KPF_RESERVED, by whose page it is. */
const owners: readonly (readonly [bit: bigint, owner: string])[] = [
  [32n, "reserved by the kernel, as the segments of a loaded kernel are"],
  [10n, "free"],
  [7n, "slab"],
  [12n, "a process"],
  [14n, "tmpfs or memfd"],
  [3n, "page cache"],
];

/** Whose the pages are, by /proc/kpageflags of the running kernel. */
export async function ownersOf(guest: Guest, addresses: readonly number[]): Promise<string> {
  const names: string[] = [];
  for (const address of addresses) {
    const words = await guest.check(
      `dd if=/proc/kpageflags bs=8 skip=${Math.floor(address / 4096)} count=1 2>/dev/null | od -An -t u8`,
    );
    const flags = BigInt(words.trim());
    names.push(owners.find(([bit]) => (flags >> bit) & 1n)?.[1] ?? "another part of the kernel");
  }
  return names.length === 0 ? "" : ` (${names.join(", ")})`;
}

/**
 * A secret of 32 characters that came to be inside of the guest: the serial line, the shell and
 * the archive never had it. The host computes the same.
 */
export async function makeSecret(guest: Guest, seed: string = randomUUID()): Promise<string> {
  await guest.check(
    `mkdir -p /keys/k/etc; mount -t ramfs keys /keys; mkdir -p /keys/etc; printf ${seed} | sha256sum | head -c 32 >/keys/etc/key`,
  );
  return secretOf(seed);
}

/** What `makeSecret` makes of a seed. */
export function secretOf(seed: string): string {
  return new Bun.CryptoHasher("sha256").update(seed).digest("hex").slice(0, 32);
}
