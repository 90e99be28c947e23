/** What a kernel has to draw on a screen with, by its configuration or by texts in it. Pure. */
import { configOption } from "../image/content/kernel-search.ts";

/** Built in, a module, or not there. */
export type Presence = "y" | "m" | "n";

export interface FirmwareDriver {
  /** As its module is called. */
  readonly name: string;
  readonly presence: Presence;
}

export interface Graphics {
  /** It writes to VGA's text mode. */
  readonly vgaConsole: boolean;
  /** It has a console on frame buffers. */
  readonly console: boolean;
  /** Drivers for what firmware set up: by EFI, by VESA, in a device tree. */
  readonly firmware: Readonly<Record<"efi" | "vesa" | "tree", readonly FirmwareDriver[]>>;
  /** A driver of a graphics device, by the name of its module. */
  native(module: string): Presence;
}

/** Drivers of graphics devices: module, option. */
const natives: Readonly<Record<string, string>> = {
  bochs: "DRM_BOCHS",
  cirrus: "DRM_CIRRUS_QEMU",
  "virtio-gpu": "DRM_VIRTIO_GPU",
  i915: "DRM_I915",
  xe: "DRM_XE",
  amdgpu: "DRM_AMDGPU",
  radeon: "DRM_RADEON",
  nouveau: "DRM_NOUVEAU",
  ast: "DRM_AST",
  mgag200: "DRM_MGAG200",
  vmwgfx: "DRM_VMWGFX",
  qxl: "DRM_QXL",
  hyperv_drm: "DRM_HYPERV",
  gma500_gfx: "DRM_GMA500",
  vboxvideo: "DRM_VBOXVIDEO",
  hibmc_drm: "DRM_HISI_HIBMC",
  vc4: "DRM_VC4",
};

export function graphicsOfConfig(config: string): Graphics {
  const has = (option: string): Presence => configOption(config, option);
  const on = (option: string) => has(option) === "y";
  /** With it EFI's and VESA's frame buffers go to the drivers of simple ones alone: drivers/firmware/Kconfig. */
  const simple = on("SYSFB_SIMPLEFB");
  const simpleDrivers = [
    { name: "simpledrm", presence: has("DRM_SIMPLEDRM") },
    { name: "simplefb", presence: has("FB_SIMPLE") },
  ];
  const own = (drivers: readonly FirmwareDriver[]) => (simple ? simpleDrivers : drivers);
  return {
    vgaConsole: on("VGA_CONSOLE"),
    console: on("FRAMEBUFFER_CONSOLE") && (on("FB") || has("DRM_FBDEV_EMULATION") === "y"),
    firmware: {
      efi: own([
        { name: "efifb", presence: has("FB_EFI") },
        { name: "efidrm", presence: has("DRM_EFIDRM") },
      ]),
      vesa: own([
        { name: "vesafb", presence: has("FB_VESA") },
        { name: "vesadrm", presence: has("DRM_VESADRM") },
      ]),
      tree: simpleDrivers,
    },
    native: (module) => {
      const option = natives[module];
      return option === undefined ? "n" : has(option);
    },
  };
}

/** What only the code of a driver has in it. What is missing may still be a module. */
const tells = {
  efifb: "efifb: probing for efifb",
  vesafb: "vesafb: ",
  simpledrm: "simpledrm",
  efidrm: "efidrm",
  vesadrm: "vesadrm",
  console: "fbcon: ",
  vgaConsole: "VGA+",
} as const;

export const graphicsTexts: readonly string[] = Object.values(tells);

/** By texts of the unpacked kernel: what is not built in is taken for a module, which the initramfs may have. */
export function graphicsOfTexts(found: ReadonlySet<string>): Graphics {
  const driver = (name: keyof typeof tells): FirmwareDriver => ({
    name,
    presence: found.has(tells[name]) ? "y" : "m",
  });
  const simpledrm = driver("simpledrm");
  return {
    vgaConsole: found.has(tells.vgaConsole),
    console: found.has(tells.console),
    firmware: {
      efi: [driver("efifb"), driver("efidrm"), simpledrm],
      vesa: [driver("vesafb"), driver("vesadrm"), simpledrm],
      tree: [simpledrm],
    },
    native: (module) => (natives[module] === undefined ? "n" : "m"),
  };
}
