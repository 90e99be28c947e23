/** Guests with a disk of their own: a copy of an image, or a file system made of files. */
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binaryFor } from "./aegis.ts";
import { type Guest, type GuestOptions, startGuest } from "./guest.ts";
import { temporaryFolder, temporaryPath } from "./host.ts";
import { type GuestEntry, guestInitramfs } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";

/** The beginning of a first process that goes over to the system on the disk, which it mounts at /new. */
export const mountDisk = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for round in 1 2; do for module in /lib/modules/*.ko; do insmod $module 2>/dev/null; done; done
mkdir /new
mount -t ext4 /dev/vda /new
`;

/** A copy that a guest may write to. */
export function copyOf(image: string): string {
  const copy = temporaryPath("disk.ext4");
  copyFileSync(image, copy);
  return copy;
}

/** An ext4 file system with these files: texts, or paths of the host. */
export function diskOf(
  texts: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>>,
  size = "128M",
): string {
  const folder = temporaryFolder("disk");
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
  for (const [name, source] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    copyFileSync(source, join(folder, name));
  }
  const image = temporaryPath("disk.ext4");
  const made = Bun.spawnSync(["mke2fs", "-q", "-t", "ext4", "-d", folder, image, size]);
  if (!made.success) throw new Error(`mke2fs: ${made.stderr.toString()}`);
  return image;
}

/** A preboot with aegis-kexec, the disk as /dev/vda, and further files. */
export async function diskGuest(
  name: KernelName,
  image: string,
  entries: readonly GuestEntry[] = [],
  {
    modules = [],
    ...options
  }: { readonly modules?: readonly string[] } & Pick<GuestOptions, "firmware" | "icount"> = {},
): Promise<Guest> {
  const { arch } = kernel(name);
  const initramfs = guestInitramfs({
    arch,
    token: "preboot",
    modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk", "ext4", ...modules] },
    programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor(arch) }],
    entries,
  });
  return startGuest({
    ...options,
    kernel: kernel(name),
    initramfs,
    memory: 2048,
    extraQemuArgs: [
      ...["-drive", `file=${image},if=none,format=raw,id=disk`],
      ...["-device", "virtio-blk-pci,drive=disk"],
    ],
  });
}

/** The system on the disk of a preboot, at /mnt, with what its own programs need. */
export async function mountSystem(guest: Guest): Promise<void> {
  await guest.check(
    "mkdir -p /mnt; mount -t ext4 /dev/vda /mnt; for kind in proc sys dev; do mount -o bind /$kind /mnt/$kind; done",
  );
}

/** What a file of the disk holds, once the guest is gone. */
export function readDisk(image: string, path: string): string {
  return Bun.spawnSync(["debugfs", "-R", `cat ${path}`, image]).stdout.toString();
}
