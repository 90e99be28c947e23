/** Modules of the first process: what depmod writes, read; and which of them lead to a disk. */
import { describe, expect, test } from "bun:test";
import { refusal } from "../../../src/handoff/modules/refusal.ts";
import { fileSystemModules, isWanted } from "../../../src/handoff/modules/select.ts";
import { ModuleTable, matches, moduleName } from "../../../src/handoff/modules/table.ts";
import { asksForModule } from "../../../src/linux/device/uevents.ts";
import { seeded } from "../fuzz.ts";

const table = new ModuleTable({
  dep: [
    "kernel/drivers/ata/ahci.ko.xz: kernel/drivers/ata/libahci.ko.xz kernel/drivers/ata/libata.ko.xz",
    "kernel/drivers/ata/libahci.ko.xz: kernel/drivers/ata/libata.ko.xz",
    "kernel/fs/btrfs/btrfs.ko: ",
    "kernel/drivers/crypto/crc32c-intel.ko:",
    "../../etc/evil.ko: /abs.ko",
    "no colon",
  ].join("\n"),
  alias: [
    "# Aliases",
    "alias pci:v*d*sv*sd*bc01sc06i01* ahci",
    "alias pci:v00008086d00002652sv*sd*bc*sc*i* ahci",
    "alias usb:v*p*d*dc*dsc*dp*ic08isc06ip[15]0in* usb-storage",
    "alias of:N*T*Csnps,dw-mshc* dw_mmc",
    "alias fs-btrfs btrfs",
    "alias crypto-crc32c crc32c-intel",
    "alias broken",
  ].join("\n"),
  softdep:
    "softdep btrfs pre: crc32c xxhash64 post: blake2b-256\nsoftdep x post: y\nsoftdep z pre: w",
});

describe("what depmod writes", () => {
  test("a device finds its modules by pattern, and each its file and needs", () => {
    const sata = "pci:v00008086d00002922sv00001AF4sd00001100bc01sc06i01";
    expect(table.serving(sata)).toEqual(["ahci"]);
    expect(table.serving("pci:v00008086d00002922sv00001AF4sd00001100bc03sc00i00")).toEqual([]);
    expect(table.serving("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00")).toEqual([
      "usb_storage",
    ]);
    expect(table.serving("usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip20in00")).toEqual([]);
    expect(table.serving("of:NmmcT(null)Csnps,dw-mshc")).toEqual(["dw_mmc"]);
    expect(table.serving("fs-btrfs")).toEqual(["btrfs"]);
    expect(table.serving("crypto-crc32c")).toEqual(["crc32c_intel"]);
    expect(table.file("ahci")?.needs).toHaveLength(2);
    expect(table.file("crc32c_intel")?.path).toBe("kernel/drivers/crypto/crc32c-intel.ko");
    expect(table.wishes("btrfs")).toEqual(["crc32c", "xxhash64"]);
    expect([...table.wishes("x"), ...table.wishes("z")]).toEqual(["w"]);
  });

  test("no path leads out of the modules' folder", () => {
    expect(table.file("evil")).toBeUndefined();
    const one = new ModuleTable({ dep: "a.ko: ../b.ko /c.ko d.ko", alias: "", softdep: "" });
    expect(one.file("a")?.needs).toEqual(["d.ko"]);
  });

  test("patterns are those of fnmatch, and hostile ones take no time", () => {
    for (const [pattern, text, fits] of [
      ["a*c", "abbc", true],
      ["a*c", "abb", false],
      ["*", "", true],
      ["a?c", "abc", true],
      ["[a-c]x", "bx", true],
      ["[!a-c]x", "bx", false],
      ["[]x]y", "]y", true],
      ["[", "[", true],
      ["\\*", "*", true],
      ["\\*", "a", false],
      ["a*b*c", "a_b_b_c", true],
    ] as const) {
      expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, fits]);
    }
    const begin = performance.now();
    expect(matches("*a".repeat(500), `${"a".repeat(4000)}b`)).toBe(false);
    expect(performance.now() - begin).toBeLessThan(1000);
  });

  test("agrees with a glob on any pattern of stars and letters", () => {
    const rng = seeded(7);
    const pick = (letters: string, length: number) =>
      Array.from({ length }, () => letters[rng.below(letters.length)]).join("");
    for (let round = 0; round < 5000; round++) {
      const [pattern, text] = [pick("ab*?", rng.below(8)), pick("ab", rng.below(8))];
      const expected = new RegExp(`^${pattern.replaceAll("*", ".*").replaceAll("?", ".")}$`);
      expect([pattern, text, matches(pattern, text)]).toEqual([pattern, text, expected.test(text)]);
    }
  });
});

test("buses and storage are wanted; display, input and sound never; network where it is asked for", () => {
  const wanted = (path: string, network = false) =>
    isWanted(moduleName(path), path, { network, watchdog: network });
  for (const path of [
    "kernel/drivers/ata/ahci.ko",
    "kernel/drivers/nvme/host/nvme.ko.zst",
    "kernel/drivers/usb/host/xhci-pci.ko",
    "kernel/drivers/usb/storage/uas.ko",
    "kernel/drivers/virtio/virtio_pci.ko",
    "kernel/drivers/scsi/sd_mod.ko",
    "kernel/drivers/mmc/host/sdhci-pci.ko",
  ]) {
    expect([path, wanted(path, true), wanted(path)]).toEqual([path, true, true]);
  }
  for (const path of [
    "kernel/drivers/gpu/drm/bochs/bochs.ko",
    "kernel/drivers/video/fbdev/efifb.ko",
    "kernel/drivers/input/mouse/psmouse.ko",
    "kernel/drivers/hid/usbhid/usbhid.ko",
    "kernel/drivers/virtio/virtio_input.ko",
    "kernel/drivers/virtio/virtio-input.ko",
    "kernel/drivers/usb/serial/ftdi_sio.ko",
    "kernel/sound/pci/hda/snd-hda-intel.ko",
    "kernel/drivers/media/usb/uvc/uvcvideo.ko",
    "kernel/drivers/watchdogs/x.ko",
    "updates/dkms/nvidia.ko",
    "kernel/drivers/netfs/x.ko",
  ]) {
    expect([path, wanted(path, true)]).toEqual([path, false]);
  }
  for (const path of ["kernel/drivers/net/virtio_net.ko", "kernel/drivers/watchdog/i6300esb.ko"]) {
    expect([path, wanted(path, true), wanted(path)]).toEqual([path, true, false]);
  }
});

test("file systems bring what they would ask modprobe for", () => {
  expect(fileSystemModules("btrfs")).toContain("crypto-blake2b-256");
  expect(fileSystemModules("ext3")).toContain("fs-ext4");
  expect(fileSystemModules("squashfs")).toEqual(["fs-squashfs"]);
});

test("a module that is refused is named with its cause", () => {
  const why = (errno: number, log: string[] = [], path = "kernel/x.ko") =>
    refusal(errno, path, log, () => "the kernel is locked down (integrity)");
  expect(why(1)).toStartWith("the kernel is locked down");
  expect(why(129, ["Loading of unsigned module is rejected"])).toStartWith("it is not signed");
  expect(why(129, ["Loading of module with unavailable key is rejected"])).toStartWith(
    "it is signed by no key",
  );
  expect(why(126)).toStartWith("it is signed by no key");
  expect(why(129)).toStartWith("its signature is not good");
  expect(why(74)).toStartWith("its signature is not good");
  expect(why(8)).toStartWith("it is no module of this kernel");
  expect(why(95, [], "kernel/x.ko.zst")).toContain("CONFIG_MODULE_DECOMPRESS");
  expect(why(2, ["x: Unknown symbol crc32c (err -2)"])).toEndWith(
    "(the kernel says: x: Unknown symbol crc32c (err -2))",
  );
  expect(why(12)).toBe("cannot allocate memory");
});

test("an event that brings an alias is one that modules may serve", () => {
  const event = (words: string[]) => asksForModule(new TextEncoder().encode(words.join("\0")));
  expect(event(["add@/x", "ACTION=add", "SUBSYSTEM=usb", "MODALIAS=usb:v1"])).toBe(true);
  expect(event(["remove@/x", "ACTION=remove", "MODALIAS=usb:v1"])).toBe(false);
  expect(event(["add@/x", "ACTION=add", "SUBSYSTEM=tty"])).toBe(false);
});
