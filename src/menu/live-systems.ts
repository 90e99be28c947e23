/**
 * Live systems: how each is told, and the words by which it finds the ISO image again that it was
 * started from, as a file on a file system. One row a system; where several have the same word, each
 * has its own source.
 */

export interface LiveSystem {
  /** What messages call it. */
  readonly name: string;
  /** Told by a word of the command line. */
  readonly cmdline: RegExp | undefined;
  /** Told by the path of the kernel. */
  readonly kernel: RegExp | undefined;
  /** Told by what is on the image: one of these. */
  readonly files: readonly string[];
  /** Told by a file in the archive: the end of its path. */
  readonly archive: RegExp | undefined;
  /** Its words, with `{path}` or `{uuid}` in their values; none: it needs nothing of the image. */
  readonly words: readonly string[];
  /** Why there are no words, where it does need the image. */
  readonly unable?: string;
  /** Where the words are read. */
  readonly source: string;
}

export const liveSystems: readonly LiveSystem[] = [
  {
    name: "a memory test",
    cmdline: undefined,
    kernel: /\/(?:memtest|mt86plus)[^/]*$/i,
    files: [],
    archive: undefined,
    words: [],
    source: "memtest86+: boot/header.S; it reads no disk",
  },
  {
    name: "casper",
    cmdline: /^boot=casper$/,
    kernel: /^\/casper[^/]*\//,
    files: ["/casper"],
    archive: /(?:^|\/)scripts\/casper$/,
    words: ["iso-scan/filename={path}"],
    source: "casper: scripts/casper-premount/20iso_scan",
  },
  {
    name: "live-boot",
    cmdline: /^boot=live$/,
    kernel: /^\/live\d*\//,
    files: ["/live"],
    archive: /(?:^|\/)lib\/live\/boot(?:\/|$)/,
    words: ["findiso={path}"],
    source: "live-boot: components/9990-cmdline-old, and check_dev in 9990-misc-helpers.sh",
  },
  {
    name: "archiso",
    cmdline: /^archiso(?:basedir|label|device|searchuuid|searchfilename)=/,
    kernel: /^\/(?:arch|sysresccd|parch)\//,
    files: ["/arch", "/sysresccd"],
    archive: /(?:^|\/)hooks\/archiso_loop_mnt$/,
    words: ["img_dev=UUID={uuid}", "img_loop={path}"],
    source: "mkinitcpio-archiso: hooks/archiso_loop_mnt",
  },
  {
    name: "manjaro's miso",
    cmdline: /^miso(?:basedir|label|device)=/,
    kernel: /^\/manjaro\//,
    files: ["/manjaro"],
    archive: /(?:^|\/)hooks\/miso_loop_mnt$/,
    words: ["img_dev=/dev/disk/by-uuid/{uuid}", "img_loop={path}"],
    source: "manjaro-tools: initcpio/hooks/miso_loop_mnt",
  },
  {
    name: "dracut's dmsquash-live",
    cmdline: /^root=live:|^rd\.live\.image(?:=|$)/,
    kernel: undefined,
    files: ["/LiveOS"],
    archive: /(?:^|\/)(?:sbin|bin)\/(?:iso-scan|dmsquash-live-root)(?:\.sh)?$/,
    words: ["iso-scan/filename={path}"],
    source:
      "dracut: modules.d/90dmsquash-live/parse-iso-scan.sh; kiwi: dracut/modules.d/*kiwi-live",
  },
  {
    name: "anaconda",
    cmdline: /^inst\.(?:stage2|repo)=hd:/,
    kernel: undefined,
    files: ["/images/install.img"],
    archive: undefined,
    words: ["iso-scan/filename={path}"],
    source: "anaconda: dracut/module-setup.sh, which takes dmsquash-live in with livenet",
  },
  {
    name: "NixOS",
    cmdline: /^init=\/nix\/store\//,
    kernel: /^\/boot\/nix\/store\//,
    files: ["/nix-store.squashfs"],
    archive: undefined,
    words: ["findiso={path}"],
    source: "nixpkgs: nixos/modules/system/boot/stage-1-init.sh",
  },
  {
    name: "kiwi before dracut",
    cmdline: /^(?:ramdisk_blocksize|isofrom_device|kiwi_[a-z]+)=/,
    kernel: undefined,
    files: ["/config.isoclient"],
    archive: /(?:^|\/)KIWILinuxRC\.sh$/,
    words: ["isofrom_device=/dev/disk/by-uuid/{uuid}", "isofrom_system={path}"],
    source: "kiwi 7: modules/KIWILinuxRC.sh, mediaCheck and searchImageISODevice",
  },
  {
    name: "genkernel",
    cmdline: /^cdroot(?:=|$)/,
    kernel: undefined,
    files: ["/image.squashfs"],
    archive: undefined,
    words: ["isoboot={path}"],
    source: "genkernel: defaults/linuxrc",
  },
  {
    name: "antiX",
    cmdline: undefined,
    kernel: /^\/antiX\//,
    files: ["/antiX"],
    archive: undefined,
    words: ["fromiso={path}"],
    source: "antiX: live-init, fromiso=",
  },
  {
    name: "Porteus",
    cmdline: undefined,
    kernel: undefined,
    files: ["/porteus"],
    archive: undefined,
    words: ["from={path}"],
    source: "Porteus: linuxrc, from=",
  },
  {
    name: "Tiny Core",
    cmdline: undefined,
    kernel: undefined,
    files: ["/boot/core.gz", "/boot/corepure64.gz", "/cde"],
    archive: undefined,
    words: ["iso=UUID={uuid}{path}"],
    source: "Tiny Core: /etc/init.d/tc-config, iso=",
  },
  {
    name: "Slax",
    cmdline: undefined,
    kernel: /^\/slax\//,
    files: ["/slax"],
    archive: undefined,
    words: ["from={path}"],
    source: "linux-live: livekitlib, find_data",
  },
  {
    name: "Android-x86",
    cmdline: /^androidboot\./,
    kernel: undefined,
    files: [],
    archive: undefined,
    words: ["iso-scan/filename={path}"],
    source: "Android-x86: bootable/newinstaller/initrd/init",
  },
  {
    name: "Debian's installer from a network",
    cmdline: undefined,
    kernel: undefined,
    files: [],
    archive: /(?:^|\/)debian-installer\/retriever\/net-retriever$/,
    words: [],
    source: "debian-installer: build/pkg-lists/netboot, without cdrom-detect",
  },
  {
    name: "Debian's installer from a CD",
    cmdline: undefined,
    kernel: /^\/install(?:\.[a-z0-9]+)?\/(?:[a-z0-9]+\/)?(?:vmlinuz|linux)$/,
    files: [],
    archive: /(?:^|\/)debian-installer\/retriever\/cdrom-retriever$/,
    words: [],
    unable: "it looks for a CD, and not for an image in a file",
    source: "debian-installer: build/pkg-lists/cdrom",
  },
  {
    name: "openSUSE's installer",
    cmdline: undefined,
    kernel: undefined,
    files: ["/boot/x86_64/root", "/boot/aarch64/root"],
    archive: /^linuxrc\.config$/,
    words: ["install=disk:{path}"],
    source: "linuxrc: linuxrc.html, Install; linuxrc_repo.md for disk: without a device",
  },
  {
    name: "the installer of Proxmox",
    cmdline: undefined,
    kernel: undefined,
    files: ["/.pve-cd-id.txt", "/.pmg-cd-id.txt", "/.pbs-cd-id.txt", "/.pdm-cd-id.txt"],
    archive: undefined,
    words: [],
    unable: "it looks for its files on a CD or a removable disk, and not for an image in a file",
    source: "pve-installer: the initrd's init, which finds its own ID on a CD",
  },
  {
    name: "Alpine",
    cmdline: /^alpine_dev=|^modloop=/,
    kernel: /^\/boot\/vmlinuz-(?:lts|virt|vanilla|hardened|grsec)$/,
    files: ["/.alpine-release"],
    archive: /(?:^|\/)sbin\/nlplug-findfs$/,
    words: [],
    unable: "it looks for its files on a disk of their own, and not for an image in a file",
    source: "mkinitfs: initramfs-init.in",
  },
];
