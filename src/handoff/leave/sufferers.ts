/** Devices that are known to suffer from a handover, and the place where that is documented. */
import { type PciDevice, readPciDevices } from "../../linux/device/pci.ts";

export interface Sufferer {
  readonly address: string;
  readonly driver: string;
  /** What can happen. */
  readonly why: string;
  /** The option to try. */
  readonly option: string;
  /** Where it is documented. */
  readonly source: string;
}

interface Known {
  readonly matches: (device: PciDevice) => boolean;
  readonly why: string;
  readonly quiesce: "gpu" | "usb" | "storage" | "address";
  readonly source: string;
}

/** The first entry that matches a device counts. */
const known: readonly Known[] = [
  {
    matches: ({ driver }) => driver === "nouveau",
    why: "a handover does not reset it, and before Linux 7.1 its driver does not bring it to rest",
    quiesce: "gpu",
    source: "Linux commit 310326bb7df4 (nouveau: pci: quiesce GPU on shutdown)",
  },
  {
    matches: ({ classCode, drm }) => classCode >>> 16 === 0x03 && drm,
    why: "a handover does not reset PCI devices: the next kernel finds it as its driver left it",
    quiesce: "gpu",
    source: "Linux commit 310326bb7df4 (kexec reboot does not reset PCI devices)",
  },
  {
    // Class 0x0c0330: a USB host with the xHCI interface (PCI code and ID assignment specification)
    matches: ({ classCode }) => classCode === 0x0c0330,
    why: "its interrupts have crashed or hung the handover",
    quiesce: "usb",
    source: "github.com/open-power/op-build/issues/307, /issues/775",
  },
  {
    matches: ({ driver }) => driver === "mlx5_core",
    why: "the next kernel has found the card not accessible",
    quiesce: "address",
    source: "github.com/open-power/op-build/issues/538",
  },
  {
    // Class 0x010802: non-volatile memory with the NVM Express interface
    matches: ({ classCode }) => classCode === 0x010802,
    why: "before Linux 4.4.20 its shutdown has led to panics after the handover",
    quiesce: "storage",
    source: "github.com/open-power/op-build/issues/537, /pull/698",
  },
];

/** The devices of this machine that are known to suffer. */
export function readSufferers(): readonly Sufferer[] {
  return sufferers(readPciDevices());
}

/** The devices in the list that are known to suffer and have a driver. */
export function sufferers(devices: readonly PciDevice[]): readonly Sufferer[] {
  return devices.flatMap((device) => {
    const { address, driver } = device;
    const found = known.find(({ matches }) => matches(device));
    if (driver === undefined || found === undefined) return [];
    const list = found.quiesce === "address" ? address : found.quiesce;
    return [{ address, driver, why: found.why, option: `--quiesce ${list}`, source: found.source }];
  });
}
