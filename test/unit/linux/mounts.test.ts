import { expect, test } from "bun:test";
import {
  blockFileSystems,
  flagsOf,
  isOnBlockDevice,
  parseMountinfo,
  unescapeOctal,
} from "../../../src/linux/mounts.ts";
import { mutated, random } from "./mutate.ts";

const mountinfo = `22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw,discard
40 27 8:1 / /home rw,nosuid,nodev,noatime shared:2 master:1 - xfs /dev/sda1 rw
41 40 8:17 / /home/my\\040disk rw,relatime - vfat /dev/sdb1 rw,dirsync
42 27 0:40 / /data rw,relatime - btrfs /dev/sdc rw,space_cache=v2
43 27 8:1 /var /var rw,relatime - xfs /dev/sda1 rw
44 27 0:50 / /net rw,relatime - nfs4 server:/x rw
45 27 7:0 / /cd ro,relatime - iso9660 /dev/loop0 ro`;

test("mountinfo gives each mount its fields", () => {
  const mounts = parseMountinfo(mountinfo);
  expect(mounts).toHaveLength(8);
  expect(mounts[3]).toEqual({
    id: 41,
    parent: 40,
    device: "8:17",
    root: "/",
    mountPoint: "/home/my disk",
    options: ["rw", "relatime"],
    type: "vfat",
    source: "/dev/sdb1",
    superOptions: ["rw", "dirsync"],
  });
});

test("a line that is not of the form is left out, and the others stay", () => {
  for (const line of [
    "",
    "x 1 8:1 / / rw - ext4 /dev/sda rw",
    "1 0 8 / / rw - ext4 /dev/sda rw",
    "1 0 8:1 / relative rw - ext4 /dev/sda rw",
    "1 0 8:1 / / rw",
    "1 0 8:1 / / rw -",
  ]) {
    expect(parseMountinfo(line)).toEqual([]);
  }
  expect(parseMountinfo(`nonsense\n${mountinfo}`)).toHaveLength(8);
});

test("octal escapes are bytes, and a lone backslash stays", () => {
  expect(unescapeOctal("a\\040b\\011c\\134d")).toBe("a b\tc\\d");
  expect(unescapeOctal("\\303\\244")).toBe("ä");
  expect(unescapeOctal("a\\04")).toBe("a\\04");
  expect(unescapeOctal("a\\999")).toBe("a\\999");
  // A byte that is not UTF-8 is kept: mangle() of fs/seq_file.c escapes blanks alone.
  expect(unescapeOctal("/a\\040\udce4")).toBe("/a \udce4");
  expect(unescapeOctal("/a\\344")).toBe("/a\udce4");
});

test("file systems on block devices come once each, the most nested first", () => {
  const found = blockFileSystems(parseMountinfo(mountinfo));
  expect(found.map(({ mount, writable }) => [mount.mountPoint, writable])).toEqual([
    ["/home/my disk", true],
    ["/cd", false],
    ["/data", true],
    ["/home", true],
    ["/", true],
  ]);
});

test("a mount that another covers is not taken for the one on top", () => {
  const stacked = `1 0 8:1 / / rw - ext4 /dev/sda1 rw
2 1 8:2 / /mnt rw - ext4 /dev/sda2 rw
3 2 8:3 / /mnt rw - ext4 /dev/sda3 rw`;
  expect(blockFileSystems(parseMountinfo(stacked)).map(({ mount }) => mount.device)).toEqual([
    "8:3",
    "8:1",
  ]);
});

test("parents in a circle end", () => {
  const circle = `1 2 8:1 / /a rw - ext4 /dev/sda1 rw
2 1 8:2 / /b rw - ext4 /dev/sda2 rw`;
  expect(blockFileSystems(parseMountinfo(circle))).toHaveLength(2);
});

test("network and memory are no block devices", () => {
  const on = parseMountinfo(mountinfo).filter(isOnBlockDevice);
  expect(on.map(({ type }) => type)).toEqual(["ext4", "xfs", "vfat", "btrfs", "xfs", "iso9660"]);
});

test("a remount keeps what the mount had", () => {
  const [, root, home, disk] = parseMountinfo(mountinfo);
  if (root === undefined || home === undefined || disk === undefined) throw new Error("no mounts");
  // include/uapi/linux/mount.h
  expect(flagsOf(root)).toBe(1 << 21);
  expect(flagsOf(home)).toBe(2 | 4 | 1024);
  expect(flagsOf(disk)).toBe((1 << 21) | 128);
});

test("mutations of mountinfo never throw", () => {
  const next = random(7);
  for (let round = 0; round < 2000; round++) {
    blockFileSystems(parseMountinfo(mutated(mountinfo, next)));
  }
});
