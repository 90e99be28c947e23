import { expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { addressesInUse, planQuiesce, quiesceClassOf } from "../../../src/handoff/leave/quiesce.ts";
import { sufferers } from "../../../src/handoff/leave/sufferers.ts";
import { parseQuiesceWord } from "../../../src/handoff/option-values.ts";
import type { PciDevice } from "../../../src/linux/device/pci.ts";
import { parseMountinfo } from "../../../src/linux/mounts.ts";

function device(address: string, classCode: number, driver?: string, drm = false): PciDevice {
  return { address, classCode, vendor: 0x8086, driver, drm };
}

const gpu = device("0000:00:02.0", 0x030000, "i915", true);
const usb = device("0000:00:14.0", 0x0c0330, "xhci_hcd");
const smbus = device("0000:00:1f.3", 0x0c0500, "i801_smbus");
const net = device("0000:01:00.0", 0x020000, "mlx5_core");
const nvme = device("0000:02:00.0", 0x010802, "nvme");
const sata = device("0000:00:17.0", 0x010601, "ahci");
const bare = device("0000:03:00.0", 0x030200);
const sound = device("0000:00:1f.4", 0x040300, "snd_hda_intel");
const all = [gpu, usb, smbus, net, nvme, sata, bare, sound];
const none = new Set<string>();

test("classes are those of the PCI code", () => {
  expect(all.map(({ classCode }) => quiesceClassOf(classCode))).toEqual([
    "gpu",
    "usb",
    undefined,
    "net",
    "storage",
    "storage",
    "gpu",
    undefined,
  ]);
});

test("words are classes or addresses, the domain left out or not", () => {
  expect(parseQuiesceWord("gpu")).toBe("gpu");
  expect(parseQuiesceWord("00:1F.3")).toEqual({ address: "0000:00:1f.3" });
  expect(parseQuiesceWord("10000:01:00.0")).toEqual({ address: "10000:01:00.0" });
  for (const word of [
    "",
    "GPU",
    "gpus",
    "00:1f",
    "00:1f.8",
    "00:20.0",
    "../x",
    "0000:00:1f.3/..",
  ]) {
    expect(parseQuiesceWord(word)).toBeUndefined();
  }
});

test("what may be a console goes last, whatever the order of the words", () => {
  const serial = device("0000:00:16.3", 0x070002, "serial");
  const words = [{ address: serial.address }, "gpu", "usb", "storage", "net"] as const;
  const plan = planQuiesce(words, [...all, serial], none);
  expect(plan.devices.map(({ address }) => address)).toEqual([
    net.address,
    nvme.address,
    sata.address,
    usb.address,
    gpu.address,
    serial.address,
  ]);
  expect(plan.left).toEqual([]);
});

test("an address that no class covers goes before all, and each device goes once", () => {
  const plan = planQuiesce(
    [{ address: usb.address }, { address: sound.address }, "usb"],
    all,
    none,
  );
  expect(plan.devices).toEqual([sound, usb]);
});

test("what the root hangs on stays, and is told", () => {
  const plan = planQuiesce(["storage"], all, new Set([nvme.address]));
  expect(plan.devices).toEqual([sata]);
  expect(plan.left.map(({ address }) => address)).toEqual([nvme.address]);
});

test("what the program runs from is traced to its devices, or not at all", () => {
  const traced: Readonly<Record<string, readonly string[]>> = {
    "259:1": [nvme.address],
    "8:1": ["0000:00:1d.0", usb.address],
  };
  const used = (mountinfo: string) =>
    addressesInUse(parseMountinfo(mountinfo), "/usr/sbin/aegis-kexec", (name) => traced[name]);
  const root = "27 1 259:1 / / rw - ext4 /dev/nvme0n1p1 rw";
  const stick = "28 27 8:1 / /usr rw - ext4 /dev/sda1 rw";
  const data = "29 27 7:0 / /mnt rw - ext4 /dev/loop0 rw";
  expect(used(`${root}\n${data}`)).toEqual(new Set([nvme.address]));
  expect(used(`${root}\n${stick}`)).toEqual(new Set([nvme.address, "0000:00:1d.0", usb.address]));
  expect(used("1 1 0:2 / / rw - rootfs rootfs rw")).toEqual(new Set());
  for (const hidden of [
    "27 1 0:30 / / rw - overlay overlay rw,lowerdir=/a",
    "27 1 7:0 / / ro - squashfs /dev/loop0 ro",
    "27 1 0:31 / / rw - btrfs /dev/nvme0n1p1 rw",
    "27 1 0:32 / / rw - nfs4 server:/root rw",
    `${root}\n28 27 0:33 / /usr rw - 9p usr rw`,
  ]) {
    expect(used(hidden)).toBeUndefined();
  }
});

test("a device without a driver is told, one that is not there is refused", () => {
  expect(planQuiesce([{ address: bare.address }], all, none).left).toEqual([
    { address: bare.address, why: "it has no driver" },
  ]);
  expect(() => planQuiesce([{ address: "0000:7f:00.0" }], all, none)).toThrow(KexecError);
});

test("those known to suffer are listed with an option and a source", () => {
  const found = sufferers(all);
  expect(found.map(({ address, option }) => [address, option])).toEqual([
    [gpu.address, "--quiesce gpu"],
    [usb.address, "--quiesce usb"],
    [net.address, `--quiesce ${net.address}`],
    [nvme.address, "--quiesce storage"],
  ]);
  for (const { source } of found) expect(source).not.toBe("");
  // A frame buffer without DRM, and a card without driver, are not known to.
  expect(sufferers([device("0000:00:02.0", 0x030000, "simple"), bare])).toEqual([]);
});
