/** The kernels that guests boot, by name. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type BuiltName, builtKernels, builtNames, findBuilt } from "./built-kernels.ts";
import { type Arch, repository } from "./host.ts";
import { type PackageName, unpackedPackage } from "./packages.ts";

export const kernelNames = [
  "debian-6.1",
  "debian-6.12",
  "debian-6.12-full",
  "debian-arm64",
  "shared-x86_64",
  "shared-aarch64",
  "kho-x86_64",
  ...builtNames,
] as const;

export type KernelName = (typeof kernelNames)[number];

export interface Kernel {
  readonly name: KernelName;
  /** The image on the host. */
  readonly path: string;
  readonly arch: Arch;
  /** As `uname -r` says; unknown where there are no modules. */
  readonly release: string | undefined;
  /** The folder of its modules on the host, where it has any. */
  readonly modules: string | undefined;
  /** How many times longer than usual to wait for it: it stands in for a faster one. */
  readonly patience: number;
}

const packages = {
  "debian-6.1": { package: "linux-image-cloud-amd64:amd64", arch: "x86_64" },
  "debian-6.12": { package: "linux-image-6.12-cloud-amd64:amd64", arch: "x86_64" },
  // With drivers for displays and USB, which the cloud kernels are built without
  "debian-6.12-full": { package: "linux-image-6.12-amd64:amd64", arch: "x86_64" },
  "debian-arm64": { package: "linux-image-cloud-arm64:arm64", arch: "aarch64" },
} as const satisfies Record<string, { package: PackageName; arch: Arch }>;

interface Small {
  readonly arch: Arch;
  /** In the folder beside the repository, which not everyone has. */
  readonly file: string;
  /** What does as well, the best first. */
  readonly else: readonly (BuiltName | keyof typeof packages)[];
}

/** Small and fast ones, for what needs many boots or loads. */
const small: Readonly<Record<string, Small>> = {
  "shared-x86_64": {
    arch: "x86_64",
    file: "x86_64.bzImage",
    else: ["x86_64-small", "debian-6.12"],
  },
  // Debian builds none with kexec for aarch64
  "shared-aarch64": {
    arch: "aarch64",
    file: "aarch64.Image",
    else: ["aarch64-small", "aarch64-full"],
  },
  // With Kexec HandOver and Live Update, and without a check of signatures
  "kho-x86_64": { arch: "x86_64", file: "x86_64.bzImage", else: ["x86_64-small"] },
};

const sharedFolder = resolve(repository, "../shared/kernels");

/** The kernel, or undefined where this machine does not have it, or nobody knows the name. */
export function findKernel(wanted: string): Kernel | undefined {
  const name = kernelNames.find((known) => known === wanted);
  if (name === undefined) return undefined;
  const one = small[name];
  if (one !== undefined) return findSmall(name, one);
  if (isBuiltName(name)) return findBuiltKernel(name);
  return isPackaged(name) ? findPackaged(name) : undefined;
}

/** What `bun run kernels` must build for this one; undefined where it would not help. */
export function buildFor(wanted: string): BuiltName | undefined {
  if (isBuiltName(wanted)) return wanted;
  return small[wanted]?.else.find(isBuiltName);
}

function findSmall(name: KernelName, { arch, file, else: others }: Small): Kernel | undefined {
  const path = join(sharedFolder, file);
  if (existsSync(path)) {
    return { name, path, arch, release: undefined, modules: undefined, patience: 1 };
  }
  for (const other of others) {
    const found = findKernel(other);
    // Three times the boot, and a load that takes as long: measured without hardware acceleration
    if (found !== undefined) return { ...found, name, patience: other.endsWith("-small") ? 1 : 3 };
  }
  return undefined;
}

function findBuiltKernel(name: BuiltName): Kernel | undefined {
  const found = findBuilt(name);
  if (found === undefined) return undefined;
  const { image: path, release, modules } = found;
  return { name, path, arch: builtKernels[name].arch, release, modules, patience: 1 };
}

function findPackaged(name: keyof typeof packages): Kernel | undefined {
  const folder = unpackedPackage(packages[name].package);
  if (folder === undefined) return undefined;
  const boot = join(folder, "boot");
  const image = readdirSync(boot).find((file) => file.startsWith("vmlinuz-"));
  if (image === undefined) return undefined;
  const release = image.slice("vmlinuz-".length);
  return {
    name,
    path: join(boot, image),
    arch: packages[name].arch,
    release,
    modules: join(folder, "lib/modules", release),
    patience: 1,
  };
}

function isBuiltName(name: string): name is BuiltName {
  return Object.hasOwn(builtKernels, name);
}

function isPackaged(name: string): name is keyof typeof packages {
  return Object.hasOwn(packages, name);
}

/** The kernel. @throws Error when this machine does not have it. */
export function kernel(name: KernelName): Kernel {
  const found = findKernel(name);
  if (found !== undefined) return found;
  const build = buildFor(name);
  const cure = build === undefined ? "bun test/setup.ts" : `bun run kernels ${build}`;
  throw new Error(`the kernel ${name} is missing: run "${cure}"`);
}
