import { expect, test } from "bun:test";
import { readingsOf } from "../../../../src/source/entry/path-readings.ts";

test.each([
  ["/vmlinuz", "/mnt", ["vmlinuz"]],
  ["/boot/vmlinuz", "/mnt", ["boot/vmlinuz", "vmlinuz"]],
  ["/mnt/boot/vmlinuz", "/mnt/boot", ["mnt/boot/vmlinuz", "vmlinuz"]],
  // Ubuntu on btrfs; openSUSE's snapshots, with and without btrfs_relative_path.
  ["/@/boot/vmlinuz", "/mnt", ["@/boot/vmlinuz", "boot/vmlinuz", "vmlinuz"]],
  [
    "/@/.snapshots/12/snapshot/boot/vmlinuz",
    "/mnt",
    ["@/.snapshots/12/snapshot/boot/vmlinuz", "boot/vmlinuz", "vmlinuz"],
  ],
  [
    "/.snapshots/1/snapshot/boot/vmlinuz",
    "/mnt",
    [".snapshots/1/snapshot/boot/vmlinuz", "boot/vmlinuz", "vmlinuz"],
  ],
  // Ubuntu and Debian on ZFS: a dataset, and the path in it.
  ["/BOOT/ubuntu_x1@/vmlinuz-5.4", "/mnt", ["BOOT/ubuntu_x1@/vmlinuz-5.4", "vmlinuz-5.4"]],
  [
    "/ROOT/debian@snap/boot/vmlinuz",
    "/mnt",
    ["ROOT/debian@snap/boot/vmlinuz", "boot/vmlinuz", "vmlinuz"],
  ],
  ["\\EFI\\x//.\\linux", "/mnt", ["\\EFI\\x//.\\linux", "EFI/x/linux"]],
])("%s on %s", (path, root, readings) => {
  expect(readingsOf(path, root)).toEqual(readings);
});

test("a long path takes no longer than it has names", () => {
  const begin = performance.now();
  readingsOf(`/${"a-b.c/".repeat(600)}@`, "/mnt");
  expect(performance.now() - begin).toBeLessThan(100);
});
