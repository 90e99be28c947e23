/** `--quiesce`: detaching drivers, so that the next kernel finds devices at rest. */
import { KexecError } from "../errors.ts";
import { errnoText } from "../linux/errno.ts";
import { isOnBlockDevice, readMounts } from "../linux/mounts.ts";
import {
  type PciDevice,
  pciAddressesOf,
  readPciDevices,
  unbindDriver,
  unbindFramebufferConsoles,
} from "../linux/pci.ts";
import type { Observer } from "./report.ts";
import { type QuiesceClass, type QuiesceWord, quiesceClasses } from "./words.ts";

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

/**
 * What to detach and when: network first, then displays, for the console is read until the end, then
 * USB hosts and storage, which may carry the root. What carries a file system that this program
 * still runs from stays.
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
      throw new KexecError("usage", {
        message: `cannot detach ${word.address}: this machine has no such PCI device`,
        hint: "ls /sys/bus/pci/devices lists the addresses",
      });
    }
    if (device.driver === undefined)
      left.push({ address: device.address, why: "it has no driver" });
    else wanted.set(device.address, device);
  }
  const order: readonly (QuiesceClass | undefined)[] = [undefined, ...quiesceClasses];
  const ordered = [...wanted.values()]
    .filter(({ address }) => {
      if (!needed.has(address)) return true;
      left.push({ address, why: "a file system in use hangs on it" });
      return false;
    })
    .sort(
      (one, other) =>
        order.indexOf(quiesceClassOf(one.classCode)) -
        order.indexOf(quiesceClassOf(other.classCode)),
    );
  return { devices: ordered, left };
}

/** The plan for this machine. @throws KexecError `usage` */
export function readQuiescePlan(words: readonly QuiesceWord[]): QuiescePlan {
  return words.length === 0
    ? { devices: [], left: [] }
    : planQuiesce(words, readPciDevices(), addressesInUse());
}

/** PCI devices below the root and below the file system of this very program. */
function addressesInUse(): ReadonlySet<string> {
  const mounts = readMounts();
  if (typeof mounts === "number") return new Set();
  const path = process.execPath;
  const holding = mounts
    .filter(
      ({ mountPoint }) =>
        path === mountPoint || path.startsWith(`${mountPoint.replace(/\/$/, "")}/`),
    )
    .reduce(
      (longest, mount) => (mount.mountPoint.length >= longest.length ? mount.mountPoint : longest),
      "/",
    );
  const used = mounts.filter(
    (mount) => isOnBlockDevice(mount) && (mount.mountPoint === "/" || mount.mountPoint === holding),
  );
  return new Set(used.flatMap(({ device }) => pciAddressesOf(device)));
}

/** Detaches. A device that cannot be is a warning. Each is named before, for a driver can hang. */
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
