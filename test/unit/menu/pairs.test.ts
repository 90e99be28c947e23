import { expect, test } from "bun:test";
import { findPairs } from "../../../src/menu/pairs.ts";

const pairs = (...names: readonly string[]) =>
  findPairs(names).map(({ kernel, initrds }) => [kernel, ...initrds].join(" "));

test.each([
  [
    "Debian",
    [
      "config-6.1.0-9",
      "initrd.img-6.1.0-9",
      "vmlinuz-6.1.0-9",
      "vmlinuz-6.1.0-10",
      "initrd.img-6.1.0-10",
      "System.map-6.1.0-9",
    ],
    ["vmlinuz-6.1.0-10 initrd.img-6.1.0-10", "vmlinuz-6.1.0-9 initrd.img-6.1.0-9"],
  ],
  [
    "Fedora, the rescue system last",
    [
      "vmlinuz-0-rescue-6a98",
      "initramfs-0-rescue-6a98.img",
      "vmlinuz-6.5.6-300.fc39.x86_64",
      "initramfs-6.5.6-300.fc39.x86_64.img",
      ".vmlinuz-6.5.6-300.fc39.x86_64.hmac",
    ],
    [
      "vmlinuz-6.5.6-300.fc39.x86_64 initramfs-6.5.6-300.fc39.x86_64.img",
      "vmlinuz-0-rescue-6a98 initramfs-0-rescue-6a98.img",
    ],
  ],
  [
    "Arch, with microcode",
    [
      "vmlinuz-linux",
      "initramfs-linux.img",
      "initramfs-linux-fallback.img",
      "amd-ucode.img",
      "intel-ucode.img",
    ],
    ["vmlinuz-linux intel-ucode.img amd-ucode.img initramfs-linux.img"],
  ],
  [
    "openSUSE",
    ["vmlinuz-6.4.0-default", "initrd-6.4.0-default", "vmlinuz", "initrd"],
    ["vmlinuz-6.4.0-default initrd-6.4.0-default", "vmlinuz initrd"],
  ],
  ["Alpine", ["vmlinuz-lts", "initramfs-lts"], ["vmlinuz-lts initramfs-lts"]],
  [
    "Gentoo, the former behind",
    ["kernel-6.6.1", "initramfs-6.6.1.img", "kernel-6.6.1.old", "initramfs-6.6.1.img.old"],
    ["kernel-6.6.1 initramfs-6.6.1.img", "kernel-6.6.1.old initramfs-6.6.1.img.old"],
  ],
  ["boards", ["Image-6.1", "initrd.img-6.1", "vmlinux-6.1"], ["Image-6.1 initrd.img-6.1"]],
  [
    "Ubuntu's signed",
    ["vmlinuz-4.10.0-42.efi.signed", "initrd.img-4.10.0-42"],
    ["vmlinuz-4.10.0-42.efi.signed initrd.img-4.10.0-42"],
  ],
  [
    "Debian's links",
    ["vmlinuz", "initrd.img", "vmlinuz.old", "initrd.img.old"],
    ["vmlinuz initrd.img", "vmlinuz.old initrd.img.old"],
  ],
  ["a netboot folder", ["linux", "initrd.gz"], ["linux initrd.gz"]],
  ["without an initramfs", ["vmlinuz-1"], ["vmlinuz-1"]],
  [
    "signatures beside",
    ["vmlinuz-1", "initrd.img-1", "vmlinuz-1.minisig", "vmlinuz-1.sig"],
    ["vmlinuz-1 initrd.img-1"],
  ],
  ["none", ["grub", "config-6.1", "initrd.img-6.1", "readme"], []],
])("of %p", (_, names, expected) => {
  expect(pairs(...names)).toEqual(expected);
});
