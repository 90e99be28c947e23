/** The kernels that guests boot, by name. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Arch, repository } from "./host.ts";
import { type PackageName, unpackedPackage } from "./packages.ts";

export const kernelNames = [
  "debian-6.1",
  "debian-6.12",
  "debian-6.12-full",
  "debian-arm64",
  "shared-x86_64",
  "shared-aarch64",
] as const;

export type KernelName = (typeof kernelNames)[number];

export interface Kernel {
  readonly name: KernelName;
  /** The image on the host. */
  readonly path: string;
  readonly arch: Arch;
  /** As `uname -r` says; unknown for the shared kernels. */
  readonly release: string | undefined;
  /** The folder of its modules on the host, where it has any. */
  readonly modules: string | undefined;
}

const packages = {
  "debian-6.1": { package: "linux-image-cloud-amd64:amd64", arch: "x86_64" },
  "debian-6.12": { package: "linux-image-6.12-cloud-amd64:amd64", arch: "x86_64" },
  // With drivers for displays and USB, which the cloud kernels are built without
  "debian-6.12-full": { package: "linux-image-6.12-amd64:amd64", arch: "x86_64" },
  "debian-arm64": { package: "linux-image-cloud-arm64:arm64", arch: "aarch64" },
} as const satisfies Record<string, { package: PackageName; arch: Arch }>;

/** Small kernels with Kexec HandOver, beside the repository; not everyone has them. */
const shared = {
  "shared-x86_64": { file: "x86_64.bzImage", arch: "x86_64" },
  "shared-aarch64": { file: "aarch64.Image", arch: "aarch64" },
} as const;

const sharedFolder = resolve(repository, "../shared/kernels");

/** The kernel, or undefined where this machine does not have it, or nobody knows the name. */
export function findKernel(wanted: string): Kernel | undefined {
  const name = kernelNames.find((known) => known === wanted);
  if (name === undefined) return undefined;
  if (name === "shared-x86_64" || name === "shared-aarch64") {
    const { file, arch } = shared[name];
    const path = join(sharedFolder, file);
    return existsSync(path)
      ? { name, path, arch, release: undefined, modules: undefined }
      : undefined;
  }
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
  };
}

/** The kernel. @throws Error when this machine does not have it. */
export function kernel(name: KernelName): Kernel {
  const found = findKernel(name);
  if (found === undefined)
    throw new Error(`the kernel ${name} is missing: run "bun test/setup.ts"`);
  return found;
}
