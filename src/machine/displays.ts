/** The screens of this machine: what firmware set up, who draws on it now, and which consoles are in use. */

import { isSince } from "../kernel-release.ts";
import { readHead, readText } from "../linux/descriptor.ts";
import { readPciDevices } from "../linux/device/pci.ts";
import { namesIn } from "../linux/directory.ts";
import { Folder } from "../linux/file.ts";
import { exists, linkedName, readLink } from "../linux/path.ts";
import { readIdentity } from "./kernel.ts";

export interface Owner {
  /** As /proc/fb or its device's driver calls it. */
  readonly name: string;
  /** A driver of the device itself, which sets modes; not one of what firmware set up. */
  readonly native: boolean;
  /** It leaves the screen as firmware had set it up. */
  readonly restores?: boolean;
}

export interface Displays {
  /**
   * What this kernel was told of a screen, which it tells the next one: VGA's text mode, a frame buffer of EFI or
   * of VESA, one in the device tree.
   */
  readonly given: "none" | "text" | "efi" | "vesa" | "tree" | "other";
  /** Who draws on the screen; undefined: nobody, or the text console. */
  readonly owner: Owner | undefined;
  /** The module that drives the graphics device, bound to it or not; undefined where none is known. */
  readonly native: string | undefined;
  /** Names of the consoles that the kernel writes to, the preferred one first. */
  readonly consoles: readonly string[];
}

/** Display controllers by PCI vendor and device, and their modules; device 0: all of a vendor. */
const devices: readonly (readonly [vendor: number, device: number, module: string])[] = [
  [0x1234, 0x1111, "bochs"],
  [0x1013, 0x00b8, "cirrus"],
  [0x1af4, 0x1050, "virtio-gpu"],
  [0x1b36, 0x0100, "qxl"],
  [0x15ad, 0x0405, "vmwgfx"],
  [0x80ee, 0xbeef, "vboxvideo"],
  [0x1a03, 0, "ast"],
  [0x102b, 0, "mgag200"],
  [0x8086, 0, "i915"],
  [0x1002, 0, "amdgpu"],
  [0x10de, 0, "nouveau"],
  [0x19e5, 0x1711, "hibmc_drm"],
];

/** Drivers of frame buffers that firmware set up, as platform devices and in /proc/fb are called. */
const ofFirmware =
  /^(efi-framebuffer|vesa-framebuffer|simple-framebuffer|platform-framebuffer|EFI VGA|VESA VGA|simple|efi|vesa|simpledrm|efidrm|vesadrm)(drm|drmfb)?$/;

/**
 * Drivers whose modules have another name: drivers/gpu/drm. A card of virtio hangs below the bus's own device, and
 * below the PCI device on others: virtio_gpu_probe, virtgpu_drv.c.
 */
const modules: Readonly<Record<string, string>> = {
  "bochs-drm": "bochs",
  virtio_gpu: "virtio-gpu",
  "virtio-pci": "virtio-gpu",
  "cirrus-qemu": "cirrus",
};

export function readDisplays(): Displays {
  const graphics = readPciDevices().filter(({ classCode }) => classCode >>> 16 === 0x03);
  const bound = graphics.find(({ drm, driver }) => drm && driver !== undefined);
  const known = graphics.flatMap(({ address }) => moduleOf(address) ?? []);
  const drawing = readOwner();
  // Its shutdown resets the device, which shows its VGA side again: virtio_gpu_shutdown, from Linux 6.12 on.
  const restores =
    moduleNamed(drawing?.name) === "virtio-gpu" &&
    graphics.some(isVgaDevice) &&
    isSince(readIdentity().release, 6, 12);
  const owner = drawing && { ...drawing, restores };
  const driver = bound?.driver ?? (owner?.native === true ? owner.name : undefined);
  const given = readGiven();
  // Other display controllers (0x0380) have no text mode, whatever a BIOS makes of them.
  const isVga = graphics.length === 0 || graphics.some(isVgaDevice);
  return {
    given: given === "text" && !isVga ? "none" : given,
    owner,
    native: moduleNamed(driver) ?? known[0],
    consoles: readConsoles(),
  };
}

const moduleNamed = (driver: string | undefined) => driver && (modules[driver] ?? driver);

const isVgaDevice = ({ classCode }: { readonly classCode: number }) => classCode >>> 8 === 0x0300;

function moduleOf(address: string): string | undefined {
  const id = (name: string) => {
    const file = readText(`/sys/bus/pci/devices/${address}/${name}`, 64);
    return file.ok ? Number(file.text.trim()) : Number.NaN;
  };
  const [vendor, device] = [id("vendor"), id("device")];
  return devices.find(([of, one]) => of === vendor && (one === 0 || one === device))?.[2];
}

/** A card of the Direct Rendering Manager, else a frame buffer. */
function readOwner(): Owner | undefined {
  const cards = namesBelow("class/drm").filter((name) => /^card\d+$/.test(name));
  const owners = cards.flatMap((card) => {
    const name = linkedName(`/sys/class/drm/${card}/device/driver`);
    if (name === undefined) return [];
    // Of a bus's name nobody learns which driver it is.
    const shown = name === "virtio-pci" ? "virtio-gpu" : name;
    return [{ name: shown, native: !ofFirmware.test(name) }];
  });
  const native = owners.find((owner) => owner.native) ?? owners[0];
  if (native !== undefined) return native;
  const file = readText("/proc/fb", 4096);
  const name = file.ok ? /^\d+ (.+)$/m.exec(file.text)?.[1] : undefined;
  return name === undefined ? undefined : { name, native: !ofFirmware.test(name) };
}

// include/uapi/linux/screen_info.h
const typeAt = 0x0f;
const lines = 0x0e;
const types: Readonly<Record<number, Displays["given"]>> = {
  1: "text",
  33: "text",
  34: "text",
  35: "vesa",
  112: "efi",
};

/** x86 keeps it in its boot parameters, and passes it on: setup_boot_parameters, kexec-bzimage64.c. */
function readGiven(): Displays["given"] {
  const info = readHead("/sys/kernel/boot_params/data", 0x40);
  if (info.length >= 0x40) {
    const type = types[info[typeAt] ?? 0];
    if (type === undefined) return (info[typeAt] ?? 0) === 0 ? "none" : "other";
    // Without lines there is no text mode: vgacon_startup, drivers/video/console/vgacon.c.
    return type === "text" && info[lines] === 0 ? "none" : type;
  }
  // arm64 forgets what EFI told once it has read it: init_screen_info, drivers/firmware/efi/efi-init.c.
  // The tree is behind a link to another file system, so it is the folder to look below.
  const tree = ["chosen", ""].some((folder) =>
    namesBelow(folder, "/proc/device-tree").some((name) => /^framebuffer(@|$)/.test(name)),
  );
  return tree ? "tree" : "none";
}

/** Those that are switched on, the one that is /dev/console first: Documentation/admin-guide/serial-console.rst. */
function readConsoles(): readonly string[] {
  const file = readText("/proc/consoles", 4096);
  if (!file.ok) return [];
  const found = [...file.text.matchAll(/^(\S+)\s+\S+\s+\(([^)]*)\)/gm)].filter(([, , flags = ""]) =>
    flags.includes("E"),
  );
  const preferred = found.filter(([, , flags = ""]) => flags.includes("C"));
  return [...new Set([...preferred, ...found].map(([, name = ""]) => name))];
}

/**
 * Whether what a descriptor is open on is shown on a screen: a virtual terminal, or /dev/console where that is one.
 */
export function isOnScreen(fd: number): boolean {
  const target = readLink(`/proc/self/fd/${fd}`);
  if (typeof target !== "string") return false;
  if (/^\/dev\/tty\d+$/.test(target)) return true;
  return target === "/dev/console" && /^tty\d+$/.test(readConsoles()[0] ?? "");
}

const mostNames = 4096;

function namesBelow(path: string, root = "/sys"): readonly string[] {
  if (!exists(root)) return [];
  using folder = Folder.open(root);
  return namesIn(folder, path.replace(/^\//, ""), mostNames) ?? [];
}
