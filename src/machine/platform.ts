/** What this machine is, as far as it bears on what comes after a handover. */

import { readHead, readText } from "../linux/descriptor.ts";
import { readPciDevices } from "../linux/device/pci.ts";
import { namesIn } from "../linux/directory.ts";
import { Folder } from "../linux/file.ts";
import { exists } from "../linux/path.ts";

export interface Platform {
  /** `uname -r`. */
  readonly release: string;
  /** As firmware calls itself (DMI); empty where it does not. */
  readonly vendor: string;
  readonly product: string;
  /** Of the first processor: Documentation/arch/x86/cpuinfo.rst. */
  readonly flags: readonly string[];
  readonly bugs: readonly string[];
  /** `PV`, `PVH`, `HVM`: Documentation/ABI/stable/sysfs-hypervisor-xen; undefined: not on Xen. */
  readonly xen: string | undefined;
  /** How processors are started: Documentation/devicetree/bindings/arm/cpus.yaml. */
  readonly enableMethods: readonly string[];
  /** A GICv3 with message-signalled interrupts. */
  readonly gicIts: boolean;
  readonly efi: boolean;
  /** Drivers that are bound to PCI devices. */
  readonly drivers: readonly string[];
}

export function readPlatform(release: string): Platform {
  const cpuinfo = new TextDecoder("latin1").decode(readHead("/proc/cpuinfo", 16_384));
  const words = (field: string) =>
    (new RegExp(`^${field}\\s*:(.*)$`, "m").exec(cpuinfo)?.[1] ?? "").trim().split(/\s+/);
  return {
    release,
    vendor: textOf("/sys/class/dmi/id/sys_vendor"),
    product: textOf("/sys/class/dmi/id/product_name"),
    flags: words("flags"),
    bugs: words("bugs"),
    xen:
      textOf("/sys/hypervisor/type") === "xen" ? textOf("/sys/hypervisor/guest_type") : undefined,
    enableMethods: readEnableMethods(),
    gicIts: hasIts(),
    efi: exists("/sys/firmware/efi"),
    drivers: [...new Set(readPciDevices().flatMap(({ driver }) => driver ?? []))],
  };
}

function textOf(path: string): string {
  const file = readText(path, 4096);
  return file.ok ? file.text.replace(/\0.*$/s, "").trim() : "";
}

const tree = "/proc/device-tree";

function readEnableMethods(): readonly string[] {
  const cpus = namesBelow("cpus").filter((name) => name.startsWith("cpu@"));
  return [
    ...new Set(cpus.map((name) => textOf(`${tree}/cpus/${name}/enable-method`)).filter(Boolean)),
  ];
}

/** `interrupt-controller@…/msi-controller@…` with compatible `arm,gic-v3-its`, where boards put it. */
function hasIts(): boolean {
  const controllers = ["", "soc", "soc@0"].flatMap((parent) =>
    namesBelow(parent)
      .filter((name) => /^(interrupt-controller|intc)@/.test(name))
      .map((name) => (parent === "" ? name : `${parent}/${name}`)),
  );
  return controllers.some((controller) =>
    namesBelow(controller).some((name) =>
      textOf(`${tree}/${controller}/${name}/compatible`).startsWith("arm,gic-v3-its"),
    ),
  );
}

const mostNames = 4096;

function namesBelow(path: string): readonly string[] {
  if (!exists(tree)) return [];
  using folder = Folder.open(tree);
  return namesIn(folder, path, mostNames) ?? [];
}
