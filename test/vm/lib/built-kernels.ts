/** Kernels that `bun run kernels` builds, because Debian builds none like them; kept in the cache. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Arch, cacheFolder } from "./host.ts";

export interface BuiltKernel {
  readonly arch: Arch;
  /** Its configuration: fragments in test/vm/kernels, later ones over earlier ones. */
  readonly fragments: readonly string[];
  /** How many files a build makes, about, by which its progress is told. */
  readonly objects: number;
}

/** In the order in which they are built. */
export const builtKernels = {
  /** Modules, block devices, file systems, TPMs, displays, signatures, Kexec HandOver. */
  "x86_64-full": {
    arch: "x86_64",
    fragments: ["base", "x86_64", "full", "full-x86_64"],
    objects: 3400,
  },
  "aarch64-full": {
    arch: "aarch64",
    fragments: ["base", "aarch64", "full", "full-aarch64"],
    objects: 3400,
  },
  /** The same with pages of 64 KiB. */
  "aarch64-64k": {
    arch: "aarch64",
    fragments: ["base", "aarch64", "full", "full-aarch64", "pages-64k"],
    objects: 3400,
  },
  /** Kexec HandOver, Live Update, lockdown and a network by `ip=`; no block devices, no modules. Boots in a moment. */
  "x86_64-small": { arch: "x86_64", fragments: ["base", "x86_64", "small"], objects: 1700 },
  "aarch64-small": { arch: "aarch64", fragments: ["base", "aarch64", "small"], objects: 1700 },
  /** The same with pages of 16 KiB. */
  "aarch64-16k": {
    arch: "aarch64",
    fragments: ["base", "aarch64", "small", "pages-16k"],
    objects: 1700,
  },
} as const satisfies Record<string, BuiltKernel>;

export type BuiltName = keyof typeof builtKernels;

export const builtNames: readonly BuiltName[] = [
  "x86_64-full",
  "aarch64-full",
  "aarch64-64k",
  "x86_64-small",
  "aarch64-small",
  "aarch64-16k",
];

/** What it takes to build one, on two cores that do nothing else. */
export const buildTime = "about a quarter of an hour each on two idle cores";

export const builtFolder = join(cacheFolder, "kernels");

/** The name of the folder of their source, once all of it is unpacked. */
export const sourceRecord = join(builtFolder, "source");

/** The source that the kernels are built from, where one was built. */
export function findSource(): string | undefined {
  if (!existsSync(sourceRecord)) return undefined;
  const folder = join(builtFolder, readFileSync(sourceRecord, "utf8").trim());
  return existsSync(join(folder, "Kconfig")) ? folder : undefined;
}

/** A finished build. */
export interface Built {
  /** The image that QEMU boots: a bzImage or an Image. */
  readonly image: string;
  /** On aarch64 the same as an EFI zboot image. */
  readonly zboot: string | undefined;
  readonly release: string | undefined;
  readonly modules: string | undefined;
  /** Key and certificate by which its modules are signed, and whose images it therefore loads. */
  readonly signingKey: string | undefined;
}

/** The kernel, where it was built. */
export function findBuilt(name: BuiltName): Built | undefined {
  const folder = join(builtFolder, name);
  const image = join(folder, "kernel");
  if (!existsSync(image)) return undefined;
  const there = (path: string) => (existsSync(path) ? path : undefined);
  const modules = there(join(folder, "lib/modules"));
  const release = modules === undefined ? undefined : readdirSync(modules)[0];
  return {
    image,
    zboot: there(join(folder, "kernel.zboot")),
    release,
    modules: modules === undefined || release === undefined ? undefined : join(modules, release),
    signingKey: there(join(folder, "signing-key.pem")),
  };
}
