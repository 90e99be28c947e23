/** PCI devices, their drivers and the consoles on them: Documentation/ABI/testing/sysfs-bus-pci. */
import { readText, writeWord } from "../descriptor.ts";
import { namesIn } from "../directory.ts";
import { Folder } from "../file.ts";
import { exists, linkedName, readLink } from "../path.ts";

export interface PciDevice {
  /** `domain:bus:device.function`, as sysfs writes it. */
  readonly address: string;
  /** Class code, 24 bits: include/linux/pci_ids.h. */
  readonly classCode: number;
  readonly vendor: number;
  /** The driver that is bound to it. */
  readonly driver: string | undefined;
  /** The driver is one of the Direct Rendering Manager. */
  readonly drm: boolean;
}

const BUS = "/sys/bus/pci";
/** Devices that are looked at; the largest servers have some thousands. */
const DEVICES_MAX = 1 << 14;

/** The PCI devices of this machine; none where there is no PCI. */
export function readPciDevices(): readonly PciDevice[] {
  return namesBelowSys("bus/pci/devices")
    .filter((address) => pciAddressPattern.test(address))
    .flatMap((address) => readDevice(address) ?? [])
    .sort((one, other) => (one.address < other.address ? -1 : 1));
}

/** A full PCI address, in lower case. */
export const pciAddressPattern = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-1][0-9a-f]\.[0-7]$/;

function readDevice(address: string): PciDevice | undefined {
  const folder = `${BUS}/devices/${address}`;
  const classCode = hexIn(`${folder}/class`);
  if (classCode === undefined) return undefined;
  return {
    address,
    classCode,
    vendor: hexIn(`${folder}/vendor`) ?? 0,
    driver: linkedName(`${folder}/driver`),
    drm: exists(`${folder}/drm`),
  };
}

function hexIn(path: string): number | undefined {
  const file = readText(path, 64);
  const digits = file.ok ? /^0x([0-9a-f]{1,8})$/.exec(file.text.trim())?.[1] : undefined;
  return digits === undefined ? undefined : Number.parseInt(digits, 16);
}

/** Detaches a device from its driver; it returns when the driver's remove has. 0, or -errno. */
export function unbindDriver(device: PciDevice): number {
  return writeWord(`${BUS}/devices/${device.address}/driver/unbind`, device.address);
}

/** Takes the text consoles off the frame buffers. Returns the names of those that were taken off. */
export function unbindFramebufferConsoles(): readonly string[] {
  // Documentation/driver-api/console.rst, "sysfs": writing 0 to bind.
  return namesBelowSys("class/vtconsole").filter((name) => {
    const folder = `/sys/class/vtconsole/${name}`;
    const kind = readText(`${folder}/name`, 256);
    const bound = readText(`${folder}/bind`, 16);
    if (!kind.ok || !kind.text.includes("frame buffer")) return false;
    return bound.ok && bound.text.trim() === "1" && writeWord(`${folder}/bind`, "0") === 0;
  });
}

/** How deep block devices are stacked at the most: a volume on a mirror on a partition ... */
const STACK_MAX = 8;

/**
 * The PCI addresses that a block device (`major:minor`) hangs on, through all that it is made of.
 * Undefined where a part of it hangs on none that can be seen: a loop device, a disk on the network.
 */
export function pciAddressesOf(device: string): readonly string[] | undefined {
  const found = new Set<string>();
  const trace = (folder: string, depth: number): boolean => {
    const path = readLink(folder);
    if (typeof path !== "string" || depth > STACK_MAX) return false;
    const addresses = path.split("/").filter((part) => pciAddressPattern.test(part));
    for (const address of addresses) found.add(address);
    const name = path.slice(path.lastIndexOf("/") + 1);
    const parts = namesBelowSys(`class/block/${name}/slaves`);
    const traced = parts.map((part) => trace(`/sys/class/block/${part}`, depth + 1));
    return parts.length === 0 ? addresses.length > 0 : traced.every(Boolean);
  };
  return trace(`/sys/dev/block/${device}`, 0) ? [...found] : undefined;
}

function namesBelowSys(path: string): readonly string[] {
  if (!exists("/sys")) return [];
  using sys = Folder.open("/sys");
  return namesIn(sys, path, DEVICES_MAX) ?? [];
}
