/** `--quiesce`: detaching drivers, so that the next kernel finds devices at rest. */

import { errnoText } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import {
  type PciDevice,
  pciAddressesOf,
  readPciDevices,
  unbindDriver,
  unbindFramebufferConsoles,
} from "../../linux/device/pci.ts";
import { isInMemory, isOnBlockDevice, type Mount, readMounts } from "../../linux/mounts.ts";
import type { QuiesceClass, QuiesceWord } from "../option-values.ts";
import type { Observer } from "../report.ts";

/**
 * The class of a device: include/linux/pci_ids.h. USB means host controllers (0x0c03), which may
 * carry keyboards and disks.
 */
export function quiesceClassOf(classCode: number): QuiesceClass | undefined {
  if (classCode >>> 8 === 0x0c03) return "usb";
  switch (classCode >>> 16) {
    case 0x01:
      return "storage";
    case 0x02:
      return "net";
    case 0x03:
      return "gpu";
    default:
      return undefined;
  }
}

export interface QuiescePlan {
  /** In the order in which they are detached. */
  readonly devices: readonly PciDevice[];
  /** Left alone although they were asked for, each with the reason. */
  readonly left: readonly { readonly address: string; readonly why: string }[];
}

/** A controller of a serial line or another means of communication, in the PCI code's class 0x07. */
const isCommunication = ({ classCode }: PciDevice) => classCode >>> 16 === 0x07;

/** When it is the turn of a device: what may be a console goes last, for it is read until the end. */
function turnOf(device: PciDevice): number {
  const order: readonly (QuiesceClass | undefined)[] = [undefined, "net", "storage", "usb", "gpu"];
  return isCommunication(device) ? order.length : order.indexOf(quiesceClassOf(device.classCode));
}

/**
 * What to detach and when: consoles last. What this program may be running from stays.
 * @throws KexecError `usage` for an address that this machine does not have
 */
export function planQuiesce(
  words: readonly QuiesceWord[],
  devices: readonly PciDevice[],
  needed: ReadonlySet<string>,
): QuiescePlan {
  const wanted = new Map<string, PciDevice>();
  const left: { address: string; why: string }[] = [];
  for (const word of words) {
    if (typeof word === "string") {
      for (const device of devices) {
        if (quiesceClassOf(device.classCode) === word && device.driver !== undefined) {
          wanted.set(device.address, device);
        }
      }
      continue;
    }
    const device = devices.find(({ address }) => address === word.address);
    if (device === undefined) {
      throw cannot(`detach ${word.address}`, {
        code: "usage",
        why: "this machine has no such PCI device",
        hint: "ls /sys/bus/pci/devices lists the addresses",
      });
    }
    if (device.driver === undefined)
      left.push({ address: device.address, why: "it has no driver" });
    else wanted.set(device.address, device);
  }
  const ordered = [...wanted.values()]
    .filter(({ address }) => {
      if (!needed.has(address)) return true;
      left.push({ address, why: "this program may be running from it" });
      return false;
    })
    .sort((one, other) => turnOf(one) - turnOf(other));
  return { devices: ordered, left };
}

/** The plan for this machine. @throws KexecError `usage` */
export function readQuiescePlan(words: readonly QuiesceWord[]): QuiescePlan {
  if (words.length === 0) return { devices: [], left: [] };
  const devices = readPciDevices();
  const mounts = readMounts();
  const used =
    typeof mounts === "number"
      ? undefined
      : addressesInUse(mounts, process.execPath, pciAddressesOf);
  return planQuiesce(words, devices, used ?? carriersAmong(devices));
}

/**
 * The PCI addresses below the root and below the file system of `program`; undefined where one of
 * them lies on what cannot be traced to a device: an overlay, an image in a loop device, a server.
 */
export function addressesInUse(
  mounts: readonly Mount[],
  program: string,
  addressesOf: (device: string) => readonly string[] | undefined,
): ReadonlySet<string> | undefined {
  const holding = mounts
    .filter(
      ({ mountPoint }) =>
        program === mountPoint || program.startsWith(`${mountPoint.replace(/\/$/, "")}/`),
    )
    .reduce(
      (longest, mount) => (mount.mountPoint.length >= longest.length ? mount.mountPoint : longest),
      "/",
    );
  const used = mounts.filter(
    (mount) => !isInMemory(mount) && (mount.mountPoint === "/" || mount.mountPoint === holding),
  );
  const found = new Set<string>();
  for (const mount of used) {
    const addresses = isOnBlockDevice(mount) ? addressesOf(mount.device) : undefined;
    if (addresses === undefined) return undefined;
    for (const address of addresses) found.add(address);
  }
  return found;
}

/** The devices that a file system can lie on. */
function carriersAmong(devices: readonly PciDevice[]): ReadonlySet<string> {
  const carriers = devices.filter(({ classCode }) =>
    ["net", "usb", "storage"].includes(quiesceClassOf(classCode) ?? ""),
  );
  return new Set(carriers.map(({ address }) => address));
}

/**
 * Detaches the devices. A failure is a warning. Each device is named first, for its driver can
 * hang.
 */
export function quiesce(plan: QuiescePlan, observer: Observer): void {
  for (const { address, why } of plan.left) observer.warn?.(`${address} stays attached: ${why}`);
  let consoles = false;
  for (const device of plan.devices) {
    if (quiesceClassOf(device.classCode) === "gpu" && !consoles) {
      consoles = true;
      for (const name of unbindFramebufferConsoles()) observer.detached?.(`console ${name}`);
    }
    const named = `${device.address} (${device.driver ?? "no driver"})`;
    observer.note?.(`detaching ${named}`);
    const result = unbindDriver(device);
    if (result < 0) {
      observer.warn?.(`cannot detach ${named}: ${errnoText(-result).toLowerCase()}`);
    } else {
      observer.detached?.(named);
    }
  }
}
