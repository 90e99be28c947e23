/** Which modules a preboot needs of those that devices ask for: buses and storage, told by where a module lies. Pure. */

/**
 * Folders of drivers/ in the kernel's tree that lead to a disk: storage, the buses that it is on, and what those need
 * on machines without a firmware that has set them up.
 */
const drivers = [
  ...["ata", "block", "cdrom", "dax", "firewire", "md", "memstick", "message", "misc/cardreader"],
  ...["mmc", "mtd", "nvdimm", "nvme", "scsi", "ufs", "usb/core", "usb/host", "usb/storage"],
  ...["usb/common", "usb/dwc2", "usb/dwc3", "usb/cdns3", "usb/chipidea", "usb/musb", "usb/phy"],
  ...["usb/roles", "usb/typec", "bus", "clk", "cxl", "dma", "extcon", "firmware", "gpio", "hv"],
  ...["hwspinlock", "i2c", "interconnect", "iommu", "irqchip", "mailbox", "mfd", "pci", "phy"],
  ...["pinctrl", "pmdomain", "power", "regulator", "reset", "rpmsg", "soc", "spi", "thunderbolt"],
  ...["virtio", "xen"],
];

/** These are where storage is, and are none. */
const others = new Set(["virtio_input", "virtio_balloon", "hv_utils", "hv_balloon"]);

/** What is wanted beside what leads to disks. */
export interface Wanted {
  readonly network: boolean;
  readonly watchdog: boolean;
}

/** @param name See `moduleName`. @param path In modules.dep. */
export function isWanted(name: string, path: string, wanted: Wanted): boolean {
  if (others.has(name)) return false;
  const [, folder] = /^kernel\/drivers\/(.+)\/[^/]+$/.exec(path) ?? [];
  if (folder === undefined) return false;
  const isBelow = (one: string) => folder === one || folder.startsWith(`${one}/`);
  return (
    drivers.some(isBelow) ||
    (wanted.network && isBelow("net")) ||
    (wanted.watchdog && isBelow("watchdog"))
  );
}

/** What file systems call for by themselves, which takes a modprobe: sums, and tables of characters. */
const called: Readonly<Record<string, readonly string[]>> = {
  ext2: ["crypto-crc32c"],
  ext3: ["crypto-crc32c"],
  ext4: ["crypto-crc32c"],
  xfs: ["crypto-crc32c"],
  btrfs: ["crypto-crc32c", "crypto-xxhash64", "crypto-sha256", "crypto-blake2b-256"],
  vfat: ["nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"],
  exfat: ["nls_utf8"],
  iso9660: ["nls_utf8"],
};

/** Aliases and names of what a file system takes, itself last. */
export function fileSystemModules(type: string): readonly string[] {
  // Some kernels have no ext2 but by the driver of ext4.
  const own = type === "ext2" || type === "ext3" ? ["fs-ext4", `fs-${type}`] : [`fs-${type}`];
  return [...(called[type] ?? []), ...own];
}
