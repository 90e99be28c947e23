/** Which file system a place on a disk names, over a tree like sysfs; real disks are mounted in virtual machines. */
import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { KexecError } from "../../../src/errors.ts";
import { blockDevices } from "../../../src/linux/device/block.ts";
import { chooseSystem, seen } from "../../../src/source/disk/choose.ts";
import { parseDiskPlace } from "../../../src/source/disk/name.ts";
import { type HeldSystem, probeAll } from "../../../src/source/disk/probe.ts";

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true });
});

interface Disk {
  readonly at?: string;
  readonly number?: string;
  readonly size?: number;
  readonly files?: Readonly<Record<string, string>>;
  readonly parts?: readonly (readonly [event: string, held: HeldSystem | string])[];
  readonly held?: HeldSystem | string;
}

/** A machine with these disks: a tree like sysfs, and what each device holds. */
function machine(disks: Readonly<Record<string, Disk>>) {
  const sys = mkdtempSync(join(tmpdir(), "aegis-sys-"));
  roots.push(sys);
  const contents = new Map<string, HeldSystem | string>();
  let count = 0;
  const add = (name: string, place: string, files: Readonly<Record<string, string>>) => {
    const folder = join(sys, "devices", place);
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), `${text}\n`);
    }
    mkdirSync(join(sys, "class/block"), { recursive: true });
    symlinkSync(`../../devices/${place}`, join(sys, "class/block", name));
  };
  for (const [name, disk] of Object.entries(disks)) {
    const place = `${disk.at ?? "pci0000:00/virtio1"}/block/${name}`;
    const event = (type: string, node: string, more = "") =>
      `MAJOR=${disk.number ?? 254}\nMINOR=${count++}\nDEVNAME=${node}\nDEVTYPE=${type}${more}`;
    add(name, place, {
      uevent: event("disk", name),
      size: String(disk.size ?? 2048),
      ...disk.files,
    });
    contents.set(name, disk.held ?? "no file system that is known");
    for (const [index, [words, held]] of (disk.parts ?? []).entries()) {
      const part = `${name}${index + 1}`;
      const files = {
        uevent: event("partition", part, words),
        size: "1024",
        partition: `${index + 1}`,
      };
      add(part, `${place}/${part}`, files);
      contents.set(part, held);
    }
  }
  const devices = blockDevices(sys, "/dev");
  const probed = probeAll(
    devices,
    ({ name }) => contents.get(name) ?? "no file system that is known",
  );
  return {
    devices: devices.map(({ name }) => name),
    seen: seen(probed),
    choose: (source: string, number?: string) =>
      chooseSystem(parseDiskPlace(source), probed, number)?.map(({ device }) => device.path),
  };
}

function held(type: string, label: string, uuid: string, member?: string): HeldSystem {
  return { type, label, uuid, member };
}

const store = held("ext4", "STORE", "0a-1");

describe("a place", () => {
  test("is a disk and a path", () => {
    expect(parseDiskPlace("LABEL=A:B:/x//y/./z/")).toMatchObject({
      disk: "LABEL=A:B",
      by: { tag: "LABEL", value: "A:B" },
      path: "x/y/z",
    });
    expect(parseDiskPlace("/dev/disk/by-path/pci-0000:00:1f.2:/")).toMatchObject({
      by: { device: "/dev/disk/by-path/pci-0000:00:1f.2" },
      path: "",
    });
  });

  test.each(["LABEL=A", "LABEL=:/x", "UUID=1:x"])("%s is refused with what to write", (source) => {
    const refused = () => parseDiskPlace(source);
    expect(refused).toThrow(KexecError);
    expect(refused).toThrow(/names (no disk|a disk, and no path on it)/);
  });
});

describe("of the devices of a machine", () => {
  test("empty ones, floppies, hidden paths and what others are built of are left out", () => {
    const { devices } = machine({
      vda: { held: store },
      vda10: { held: store },
      vda9: { held: store },
      sr0: { size: 0 },
      fd0: { number: "2" },
      nvme0c0n1: { files: { hidden: "1" } },
      sda: { files: { "holders/dm-0": "" }, held: store },
      "dm-0": { held: store },
    });
    expect(devices).toEqual(["dm-0", "vda", "vda9", "vda10"]);
  });

  test("one is found by each of its names", () => {
    const { choose } = machine({
      vda: {
        parts: [
          ["\nPARTN=1\nPARTNAME=esp\nPARTUUID=AA-1", held("vfat", "EFI", "ABCD-0123")],
          ["\nPARTN=2\nPARTNAME=data\nPARTUUID=aa-2", store],
        ],
      },
    });
    expect(choose("LABEL=STORE:/x")).toEqual(["/dev/vda2"]);
    expect(choose("UUID=0A-1:/x")).toEqual(["/dev/vda2"]);
    expect(choose("UUID=abcd-0123:/x")).toEqual(["/dev/vda1"]);
    expect(choose("PARTLABEL=esp:/x")).toEqual(["/dev/vda1"]);
    expect(choose("PARTUUID=aa-1:/x")).toEqual(["/dev/vda1"]);
    expect(choose("/dev/vda2:/x", "254:2")).toEqual(["/dev/vda2"]);
    expect(choose("LABEL=store:/x")).toBeUndefined();
    expect(choose("/dev/none:/x")).toBeUndefined();
  });

  test("none is found, and what is there is told", () => {
    const made = machine({ vda: { held: store }, vdb: { held: "a member of LVM" } });
    expect(made.choose("LABEL=OTHER:/x")).toBeUndefined();
    expect(made.seen).toBe("seen: vda: ext4 LABEL=STORE UUID=0a-1; vdb: a member of LVM");
    expect(machine({}).seen).toBe("no disk was seen: is its driver loaded?");
  });
});

describe("two of one name", () => {
  const other = held("xfs", "STORE", "0b-2");

  test("are refused with both", () => {
    const { choose } = machine({ vda: { held: store }, vdb: { held: other } });
    expect(() => choose("LABEL=STORE:/x")).toThrow(
      "cannot tell which disk LABEL=STORE is: /dev/vda (ext4) and /dev/vdb (xfs) have that name",
    );
    expect(choose("UUID=0b-2:/x")).toEqual(["/dev/vdb"]);
  });

  test("are refused where one is a copy of the other, of a btrfs too", () => {
    for (const one of [store, held("btrfs", "STORE", "0c", "m1")]) {
      const { choose } = machine({ vda: { held: one }, vdb: { held: one } });
      expect(() => choose("UUID=0c:/x") ?? choose("LABEL=STORE:/x")).toThrow("cannot tell");
    }
  });

  test("are one: a disk and its own partition", () => {
    const iso = held("iso9660", "DEBIAN", "2026-01-01-00-00-00-00");
    const stick: Disk = { held: iso, parts: [["", iso]] };
    expect(machine({ sda: stick }).choose("LABEL=DEBIAN:/x")).toEqual(["/dev/sda", "/dev/sda1"]);
    const two = machine({ sda: stick, sdb: { parts: [["", iso]] } });
    expect(() => two.choose("LABEL=DEBIAN:/x")).toThrow("/dev/sda (iso9660) and /dev/sdb1");
  });

  test("are one: the devices of one btrfs, and all of them are mounted", () => {
    const { choose } = machine({
      vda: { held: held("btrfs", "STORE", "0c", "m1") },
      vdb: { held: held("btrfs", "STORE", "0c", "m2") },
      vdc: { held: held("btrfs", "ELSE", "0d", "m1") },
    });
    expect(choose("LABEL=STORE:/x")).toEqual(["/dev/vda", "/dev/vdb"]);
    expect(choose("/dev/vdb:/x", "254:1")).toEqual(["/dev/vdb", "/dev/vda"]);
  });

  test("are one: two paths to one disk, but not over USB, where numbers repeat", () => {
    const path = (at: string): Disk => ({ at, files: { wwid: "naa.5" }, held: store });
    const twoPaths = machine({ sda: path("pci/host0"), sdb: path("pci/host1") });
    expect(twoPaths.choose("LABEL=STORE:/x")).toEqual(["/dev/sda", "/dev/sdb"]);
    const sticks = machine({ sda: path("pci/usb1/1-1"), sdb: path("pci/usb1/1-2") });
    expect(() => sticks.choose("LABEL=STORE:/x")).toThrow("cannot tell");
  });

  test("a member's content does not count", () => {
    const { choose } = machine({ vda: { held: "a member of md" }, md0: { held: store } });
    expect(choose("LABEL=STORE:/x")).toEqual(["/dev/md0"]);
  });
});
