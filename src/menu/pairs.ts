/**
 * Kernels with an initramfs of their version beside them, as every distribution names them in `/boot`:
 * what is booted from a folder that has no menu. Pure: names in, pairs out.
 */
import { compareText, compareVersions } from "./version-order.ts";

export interface Pair {
  /** What is behind `vmlinuz-`; empty for names without a version. */
  readonly version: string;
  readonly kernel: string;
  /** Microcode first; empty where no initramfs of this version is there. */
  readonly initrds: readonly string[];
}

/** From what a kernel is called, the likelier first. */
const kernels = ["vmlinuz", "Image", "kernel", "bzImage", "vmlinux", "linux"];

/** Of what version V is called, after it is in its place; the likelier first. */
const archives: readonly ((version: string) => string)[] = [
  (version) => `initrd.img-${version}`,
  (version) => `initramfs-${version}.img`,
  (version) => `initrd-${version}.img`,
  (version) => `initramfs-${version}`,
  (version) => `initrd-${version}`,
  (version) => `initramfs-${version}.cpio`,
  (version) => `initrd-${version}.gz`,
];

const archivesWithoutVersion = [
  ...["initrd.img", "initramfs.img", "initrd", "initramfs", "initrd.gz", "initramfs.cpio"],
];

/** GRUB_EARLY_INITRD_LINUX_STOCK of grub-mkconfig, and Arch's of old. */
const microcode = [
  ...["intel-uc.img", "intel-ucode.img", "amd-uc.img", "amd-ucode.img"],
  ...["early_ucode.cpio", "microcode.cpio"],
];

/** The kernels among `names`, the newest first; of one version the likeliest name. */
export function findPairs(names: readonly string[]): readonly Pair[] {
  const all = new Set(names);
  const early = microcode.filter((name) => all.has(name));
  const found = new Map<string, { kernel: string; rank: number }>();
  for (const name of all) {
    const [, prefix = "", version] = /^([A-Za-z]+)(?:-(.+))?$/.exec(name) ?? [];
    // Debian has links to the kernel before: vmlinuz.old.
    const old = /^(vmlinuz)\.old$/.exec(name)?.[1];
    const rank = kernels.indexOf(old ?? prefix);
    if (rank < 0 || (version !== undefined && isNoKernel(version))) continue;
    const key = old === undefined ? (version ?? "") : ".old";
    if ((found.get(key)?.rank ?? kernels.length) > rank) found.set(key, { kernel: name, rank });
  }
  return [...found]
    .map(([version, { kernel }]) => {
      const archive = archivesOf(version).find((name) => all.has(name));
      return { version, kernel, initrds: archive === undefined ? [] : [...early, archive] };
    })
    .sort((a, b) => newestFirst(a.version, b.version));
}

/** Signatures and sums beside a kernel. */
function isNoKernel(version: string): boolean {
  return /\.(sig|asc|minisig|sha256|sha512|hmac|sum|p7s|map|config)$/.test(version);
}

function archivesOf(version: string): readonly string[] {
  if (version === "") return archivesWithoutVersion;
  if (version === ".old") return archivesWithoutVersion.map((name) => `${name}.old`);
  // Ubuntu's signed kernels; Gentoo's former ones, of which the archive is initramfs-V.img.old.
  const plain = version.replace(/(\.efi)?\.signed$/, "");
  const former = /^(.+)\.old$/.exec(plain)?.[1];
  return [
    ...archives.map((name) => name(plain)),
    ...(former === undefined ? [] : archives.map((name) => `${name(former)}.old`)),
  ];
}

/** A name without a version says nothing of its age: it is the last. What is old is behind what is not. */
function newestFirst(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.replace(/\.old$/, ""));
  if (left === undefined || right === undefined) return 0;
  return (
    Number(left === "") - Number(right === "") ||
    compareVersions(right, left) ||
    Number(a.endsWith(".old")) - Number(b.endsWith(".old")) ||
    compareText(a, b)
  );
}
