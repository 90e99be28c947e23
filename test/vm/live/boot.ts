/** A guest with a disk that holds ISO images, and no loop device. */
import { binaryFor } from "../lib/aegis.ts";
import { liveRoot } from "../lib/debian-root.ts";
import { type Guest, type GuestOptions, startGuest } from "../lib/guest.ts";
import { type GuestEntry, guestInitramfs, text } from "../lib/initramfs.ts";
import { type Kernel, type KernelName, kernel } from "../lib/kernels.ts";
import type { Need } from "../lib/suite.ts";
import type { DiskType } from "./image.ts";

export const liveKernel: KernelName = "debian-6.12";

export const liveNeeds: readonly Need[] = [
  liveKernel,
  `file:${liveRoot}`,
  "tool:xorriso",
  "tool:mksquashfs",
  "tool:mke2fs",
  "tool:mkfs.vfat",
  "tool:mcopy",
];

/** Seconds for both kernels, and a live system's own start. */
export const patience = 600;

const modules: Readonly<Record<DiskType, readonly string[]>> = {
  ext4: [],
  vfat: ["nls_cp437", "nls_ascii", "vfat"],
  exfat: ["exfat"],
};

const mountVariables = "mount -t efivarfs none /sys/firmware/efi/efivars";

export interface PrebootOptions extends Pick<GuestOptions, "firmware"> {
  /** The kernel that runs first, signed for the firmware. */
  readonly first?: Kernel;
}

/** The disk is mounted at /mnt. */
export async function preboot(
  type: DiskType,
  disk: string,
  entries: readonly GuestEntry[] = [],
  { first = kernel(liveKernel), ...options }: PrebootOptions = {},
): Promise<Guest> {
  const more = options.firmware === undefined ? [] : ["efivarfs"];
  const binary = await binaryFor("x86_64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token: "first",
    programs: [{ path: "/sbin/aegis-kexec", source: binary }],
    modules: {
      kernel: kernel(liveKernel),
      names: ["virtio_pci", "virtio_blk", ...modules[type], ...more],
    },
    start: options.firmware === undefined ? "" : mountVariables,
    entries: [
      { type: "directory", path: "/mnt" },
      text("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"),
      ...entries,
    ],
  });
  const guest = await startGuest({
    ...options,
    kernel: first,
    initramfs,
    memory: 2048,
    bootTimeout: patience,
    extraQemuArgs: [
      ...["-drive", `file=${disk},if=none,format=raw,id=isos`],
      ...["-device", "virtio-blk-pci,drive=isos"],
    ],
  });
  await guest.check(`mount -t ${type} /dev/vda /mnt`);
  return guest;
}
