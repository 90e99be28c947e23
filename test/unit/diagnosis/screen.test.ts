import { describe, expect, test } from "bun:test";
import { graphicsOfConfig, graphicsOfTexts } from "../../../src/diagnosis/graphics.ts";
import { judgeScreen } from "../../../src/diagnosis/screen.ts";
import type { Displays } from "../../../src/machine/displays.ts";

const debian = graphicsOfConfig(
  [
    ...["VGA_CONSOLE", "FB", "FB_EFI", "FB_VESA", "FRAMEBUFFER_CONSOLE", "DRM_FBDEV_EMULATION"].map(
      (option) => `CONFIG_${option}=y`,
    ),
    ...["DRM_BOCHS", "DRM_VIRTIO_GPU", "DRM_AMDGPU"].map((option) => `CONFIG_${option}=m`),
    "",
  ].join("\n"),
);
const modular = graphicsOfConfig(
  "CONFIG_FB=y\nCONFIG_FRAMEBUFFER_CONSOLE=y\nCONFIG_DRM_EFIDRM=m\nCONFIG_DRM_BOCHS=m\n",
);
const simple = graphicsOfConfig(
  "CONFIG_FB=y\nCONFIG_FRAMEBUFFER_CONSOLE=y\nCONFIG_FB_EFI=y\nCONFIG_SYSFB_SIMPLEFB=y\nCONFIG_DRM_SIMPLEDRM=m\n",
);
const headless = graphicsOfConfig("CONFIG_FB_EFI=y\nCONFIG_FB=y\n");

const screen = (
  given: Displays["given"],
  owner?: readonly [name: string, native: boolean],
  native?: string,
): Displays => ({
  given,
  owner: owner && { name: owner[0], native: owner[1] },
  native,
  consoles: ["tty0"],
});

const efi = screen("efi", ["EFI VGA", false], "bochs");
const bochs = screen("efi", ["bochs-drm", true], "bochs");
const text = screen("text", undefined, "bochs");

describe("the screen after the jump", () => {
  test.each([
    ["firmware's, drawn on by a driver that is built in", efi, debian, "", "continues"],
    ["firmware's, nobody draws now", screen("efi"), debian, "", "continues"],
    ["VESA's", screen("vesa", ["VESA VGA", false]), debian, "", "continues"],
    ["VESA's, with EFI's driver alone", screen("vesa"), modular, "", "blank"],
    ["text mode", text, debian, "", "continues"],
    ["text mode, and no VGA console", text, modular, "", "blank-until-driver"],
    ["text mode, and nothing", screen("text"), modular, "", "blank"],
    ["firmware's, by a module", efi, modular, "", "blank-until-driver"],
    ["firmware's, with a driver that does not get it", efi, simple, "", "blank-until-driver"],
    ["firmware's, and no console on it", screen("efi"), headless, "", "blank"],
    ["firmware's, switched off", efi, debian, "video=efifb:off", "blank"],
    ["a driver's, which the next kernel has", bochs, debian, "", "blank-until-driver"],
    ["a driver's, and nomodeset", bochs, debian, "quiet nomodeset", "blank"],
    ["a driver's, which it has not", bochs, headless, "", "blank"],
    ["a driver's that nobody knows", screen("efi", ["odd", true]), debian, "", "blank"],
    ["not known", efi, undefined, "", "unknown"],
    ["none", screen("none"), debian, "", undefined],
    [
      "a device that nobody set up",
      screen("none", undefined, "amdgpu"),
      debian,
      "",
      "blank-until-driver",
    ],
  ] as const)("%s", (_, displays, graphics, cmdline, verdict) => {
    const judged = judgeScreen(displays, graphics, cmdline, () => undefined);
    expect(judged?.verdict).toBe(verdict);
    if (judged !== undefined && verdict !== "continues") expect(judged.why).not.toBe("");
  });

  test("a driver that leaves what firmware set up", () => {
    const virtio: Displays = {
      ...screen("efi", undefined, "virtio-gpu"),
      owner: { name: "virtio_gpu", native: true, restores: true },
    };
    expect(judgeScreen(virtio, debian, "", () => false)?.verdict).toBe("continues");
    expect(judgeScreen(virtio, modular, "", () => false)?.verdict).toBe("blank");
  });

  test("modules that are not in the initramfs do not help", () => {
    const judge = (archived: boolean) => judgeScreen(efi, modular, "", () => archived)?.verdict;
    expect([judge(true), judge(false)]).toEqual(["blank-until-driver", "blank"]);
    const driven = judgeScreen(bochs, debian, "", () => false);
    expect(driven?.verdict).toBe("blank");
    expect(driven?.hint).toContain("put bochs");
    expect(driven?.hint).not.toContain("--quiesce");
  });

  test("words that help where a driver of the device draws now", () => {
    const hintOf = (displays: Displays, kernel = debian, cmdline = "") =>
      judgeScreen(displays, kernel, cmdline, () => true)?.hint ?? "";
    expect(hintOf(bochs)).toContain("--quiesce gpu");
    expect(hintOf(bochs)).toContain("console=ttyS0");
    expect(hintOf(bochs)).toContain("boot the kernel that runs now with nomodeset");
    expect(hintOf(bochs, debian, "nomodeset")).toContain("leave nomodeset out");
    // The next kernel has no driver for what firmware set up, or firmware set up nothing.
    expect(hintOf(bochs, modular)).not.toContain("nomodeset");
    expect(hintOf(screen("none", ["bochs-drm", true], "bochs"))).not.toContain("nomodeset");
    // Nothing is to be detached.
    expect(hintOf(efi, modular)).not.toContain("--quiesce");
  });

  test("what texts in a kernel tell", () => {
    const found = graphicsOfTexts(new Set(["efifb: probing for efifb", "fbcon: ", "VGA+"]));
    expect(judgeScreen(efi, found, "", () => undefined)?.verdict).toBe("continues");
    expect(judgeScreen(text, found, "", () => undefined)?.verdict).toBe("continues");
    const none = graphicsOfTexts(new Set());
    expect(judgeScreen(efi, none, "", () => false)?.verdict).toBe("blank");
    expect(judgeScreen(efi, none, "", () => undefined)?.verdict).toBe("blank-until-driver");
  });
});
