/** Debian's installed disk, mounted at /mnt of a preboot. */
import type { Guest } from "./guest.ts";
import type { Need } from "./suite.ts";
import { installedImage } from "./systemd-image.ts";

export const installedNeeds: readonly Need[] = [
  "debian-6.12",
  `file:${installedImage}`,
  "tool:debugfs",
];

/** As Debian's installer leaves it: the menu that update-grub writes, the default a saved one. */
export async function installGrub(guest: Guest): Promise<void> {
  const settings = [
    "GRUB_DEFAULT=saved",
    "GRUB_TIMEOUT=5",
    "GRUB_DISTRIBUTOR=Debian",
    "GRUB_CMDLINE_LINUX_DEFAULT=",
    'GRUB_CMDLINE_LINUX="console=ttyS0 panic=-1"',
  ].join("\\n");
  await guest.check(
    `mkdir -p /mnt/boot/grub; printf '${settings}\\n' >/mnt/etc/default/grub; chroot /mnt update-grub`,
    { timeout: 240 },
  );
}
