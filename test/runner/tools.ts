/** What the set-up installs, and so what tests may need: Debian packages, and programs of theirs. */

/** A host package, and a program or file by which one sees that it is installed. */
export interface Tool {
  readonly package: string;
  readonly proof: string;
  /** Further programs of the package that tests need. */
  readonly with?: readonly string[];
}

export const emulator = [
  { package: "qemu-system-x86", proof: "qemu-system-x86_64" },
] as const satisfies readonly Tool[];

/** What unit and command-line tests compare with. */
export const quickTools = [
  // signatures
  { package: "sbsigntool", proof: "sbsign" },
  { package: "minisign", proof: "minisign" },
  { package: "openssl", proof: "openssl" },
  // strip and objcopy
  { package: "binutils", proof: "strip", with: ["objcopy"] },
  // the binary in an image
  { package: "squashfs-tools", proof: "mksquashfs" },
  // archives and compressed kernels
  { package: "cpio", proof: "cpio" },
  { package: "zstd", proof: "zstd" },
  { package: "xz-utils", proof: "xz" },
  { package: "lz4", proof: "lz4" },
  { package: "bzip2", proof: "bzip2" },
  { package: "lzop", proof: "lzop" },
  // file systems to be told apart, and what says which they are; squashfs stands above
  { package: "util-linux", proof: "blkid" },
  { package: "xfsprogs", proof: "mkfs.xfs" },
  { package: "btrfs-progs", proof: "mkfs.btrfs" },
  { package: "dosfstools", proof: "mkfs.vfat" },
  { package: "exfatprogs", proof: "mkfs.exfat" },
  { package: "erofs-utils", proof: "mkfs.erofs" },
  { package: "cryptsetup-bin", proof: "cryptsetup" },
  { package: "fsverity", proof: "fsverity" },
  // a software TPM, what talks to its socket, and another reader of its PCRs
  { package: "swtpm", proof: "swtpm" },
  { package: "swtpm-tools", proof: "swtpm_setup" },
  { package: "socat", proof: "socat" },
  { package: "tpm2-tools", proof: "tpm2_pcrread", with: ["tpm2_pcrextend", "tpm2_unseal"] },
  // ISO images, by both programs that pack them
  { package: "xorriso", proof: "xorriso" },
  { package: "genisoimage", proof: "genisoimage" },
  // the manual page and the completions
  { package: "mandoc", proof: "mandoc" },
  { package: "zsh", proof: "zsh" },
  { package: "fish", proof: "fish" },
] as const satisfies readonly Tool[];

export const testTools = [
  ...emulator,
  ...quickTools,
  { package: "qemu-system-arm", proof: "qemu-system-aarch64" },
  // binaries of the other architecture as processes of this machine
  { package: "qemu-user-static", proof: "qemu-aarch64-static" },
  // Secure Boot firmware
  { package: "ovmf", proof: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd" },
  // what the binary asks of the kernel; programs that are their own first process
  { package: "strace", proof: "strace" },
  { package: "elfutils", proof: "eu-strip" },
  { package: "llvm", proof: "llvm-strip" },
  { package: "gcc", proof: "cc" },
  { package: "libc6-dev", proof: "/usr/include/stdio.h" },
  // machine code of both architectures
  { package: "binutils-x86-64-linux-gnu", proof: "x86_64-linux-gnu-as" },
  { package: "binutils-aarch64-linux-gnu", proof: "aarch64-linux-gnu-as" },
  // a Debian system with systemd, on a disk
  { package: "mmdebstrap", proof: "mmdebstrap" },
  { package: "e2fsprogs", proof: "mke2fs", with: ["mkfs.ext2", "mkfs.ext4", "debugfs"] },
  // the same for the other architecture
  { package: "fakeroot", proof: "fakeroot" },
  // an initramfs with modules
  { package: "kmod", proof: "depmod" },
  // ukify; memory of children
  { package: "python3", proof: "python3" },
  // files on a FAT, without a mount
  { package: "mtools", proof: "mcopy", with: ["mmd"] },
  // Debian's rules for packages
  { package: "lintian", proof: "lintian" },
  // the playbook
  { package: "ansible-core", proof: "ansible-playbook" },
] as const satisfies readonly Tool[];

/** By which the playbook reaches its machines. */
export const fleetTools = [
  ...testTools,
  { package: "openssh-client", proof: "ssh", with: ["ssh-keygen"] },
] as const satisfies readonly Tool[];

/** What builds kernels, for this architecture and the other. */
export const kernelTools = [
  { package: "make", proof: "make" },
  { package: "gcc", proof: "cc" },
  { package: "libc6-dev", proof: "/usr/include/stdio.h" },
  { package: "gcc-aarch64-linux-gnu", proof: "aarch64-linux-gnu-gcc" },
  { package: "flex", proof: "flex" },
  { package: "bison", proof: "bison" },
  { package: "bc", proof: "bc" },
  { package: "perl", proof: "perl" },
  { package: "python3", proof: "python3" },
  { package: "openssl", proof: "openssl" },
  { package: "libssl-dev", proof: "/usr/include/openssl/ssl.h" },
  { package: "libelf-dev", proof: "/usr/include/libelf.h" },
  { package: "kmod", proof: "depmod" },
  { package: "xz-utils", proof: "xz" },
  { package: "util-linux", proof: "flock" },
] as const satisfies readonly Tool[];

type Listed = (typeof fleetTools)[number];
type Installed = Listed["proof"] | Extract<Listed, { with: unknown }>["with"][number];

/** Programs that the set-up of the tests sees to. A test that needs another one would be skipped wherever nobody installed it by hand. */
export type Program = Exclude<Installed, `/${string}`>;
