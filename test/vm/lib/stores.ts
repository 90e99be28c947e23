/** Stores of generations on disks, and preboots that have nothing but the binary, a policy, a key and modules. */
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { archiveChunks, type CpioEntry } from "../../../src/initramfs/cpio.ts";
import { signerOf } from "../../unit/trust/signer.ts";
import { consoleArguments, type Guest, startGuest } from "./guest.ts";
import { type Arch, temporaryFolder, temporaryPath } from "./host.ts";
import {
  type GuestEntry,
  guestInitramfs,
  type InitramfsOptions,
  noteSources,
  text,
} from "./initramfs.ts";
import { type Kernel, type KernelName, kernel } from "./kernels.ts";
import { diskModules, moduleTree } from "./module-tree.ts";
import { unpackedPackage } from "./packages.ts";
import { withProgram } from "./preboot.ts";

const signer = signerOf("22".repeat(32));

/** The public key of what is made here. */
export const signerKey = signer.minisignKey();

/** By type of file system; the label is the type in capitals. */
export const systems = {
  ext4: { make: ["mkfs.ext4", "-q", "-L"], megabytes: 96 },
  xfs: { make: ["mkfs.xfs", "-q", "-L"], megabytes: 320 },
  btrfs: { make: ["mkfs.btrfs", "-q", "-L"], megabytes: 160 },
  vfat: { make: ["mkfs.vfat", "-F", "32", "-n"], megabytes: 96 },
  exfat: { make: ["mkfs.exfat", "-L"], megabytes: 96 },
} as const;

export type FileSystem = keyof typeof systems;
export const fileSystems: readonly FileSystem[] = ["ext4", "xfs", "btrfs", "vfat", "exfat"];

/** An image with an empty file system. */
export function emptyDisk(type: FileSystem, megabytes: number = systems[type].megabytes): string {
  const [tool, ...words] = systems[type].make;
  const path = temporaryPath(`${type}.img`);
  writeFileSync(path, "");
  truncateSync(path, megabytes << 20);
  const made = Bun.spawnSync([tool, ...words, type.toUpperCase(), path]);
  if (!made.success) throw new Error(`${tool}: ${made.stderr.toString()}`);
  return path;
}

export interface GenerationOptions {
  readonly generation: number;
  /** The kernel that it is. */
  readonly name: KernelName;
  /** Default: `name`'s image. */
  readonly image?: string;
  /** What its agent announces itself with. */
  readonly token: string;
  readonly initramfs?: Omit<InitramfsOptions, "arch" | "token">;
  readonly isSigned?: boolean;
  /** Done to the folder once it is signed. */
  readonly damage?: (folder: string) => void;
}

/** A signed generation in a folder of this machine. Its command line has `gen=N`. */
export function generation(options: GenerationOptions): string {
  const { name, token, isSigned = true, initramfs } = options;
  const folder = temporaryFolder("generation");
  const { arch, path } = kernel(name);
  copyFileSync(options.image ?? path, join(folder, "vmlinuz"));
  copyFileSync(guestInitramfs({ ...initramfs, arch, token }), join(folder, "initrd.img"));
  const listed = (file: string) => {
    const bytes = readFileSync(join(folder, file));
    const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
    return { path: file, size: bytes.length, sha256 };
  };
  const manifest = {
    format: "aegis-kexec/1",
    generation: options.generation,
    architecture: arch,
    kernel: listed("vmlinuz"),
    initrds: [listed("initrd.img")],
    cmdline: `${consoleArguments(arch)} quiet gen=${options.generation}`,
  };
  const bytes = new TextEncoder().encode(JSON.stringify(manifest));
  writeFileSync(join(folder, "boot.json"), bytes);
  if (isSigned) writeFileSync(join(folder, "boot.json.minisig"), signer.minisign(bytes));
  options.damage?.(folder);
  return folder;
}

export const generationFiles = ["boot.json", "boot.json.minisig", "vmlinuz", "initrd.img"];

/** Copies the folders into /generations of every image, by one guest that has their file systems. */
export async function fillDisks(
  images: readonly (readonly [FileSystem, string])[],
  store: Readonly<Record<string, string>>,
): Promise<void> {
  const full = kernel("debian-6.12-full");
  const entries = Object.entries(store).flatMap(([name, folder]): GuestEntry[] =>
    generationFiles.map((file) => ({
      type: "host-file",
      path: `/store/${name}/${file}`,
      source: join(folder, file),
    })),
  );
  await using guest = await startGuest({
    kernel: full,
    initramfs: guestInitramfs({
      arch: full.arch,
      token: "fill",
      modules: { kernel: full, names: diskModules.filter((one) => one !== "nvme") },
      entries,
    }),
    memory: 2048,
    extraQemuArgs: images.flatMap(([, image]) => disk("virtio", image)),
  });
  for (const [index, [type]] of images.entries()) {
    const device = `/dev/vd${"abcdefgh"[index]}`;
    await guest.check(
      `mkdir -p /mnt && mount -t ${type} ${device} /mnt && mkdir -p /mnt/generations && cp -r /store/* /mnt/generations/ && umount /mnt && sync`,
      { timeout: 240 },
    );
  }
}

/** An ext4 image with these folders in /generations. */
export function ext4Store(store: Readonly<Record<string, string>>, megabytes = 64): string {
  const root = temporaryFolder("store");
  for (const [name, folder] of Object.entries(store)) {
    const place = join(root, "generations", name);
    mkdirSync(dirname(place), { recursive: true });
    const copied = Bun.spawnSync(["cp", "-r", folder, place]);
    if (!copied.success) throw new Error(copied.stderr.toString());
  }
  const image = temporaryPath("store.ext4");
  const make = ["mke2fs", "-q", "-t", "ext4", "-L", "STORE", "-d", root, image, `${megabytes}M`];
  const made = Bun.spawnSync(make);
  if (!made.success) throw new Error(`mke2fs: ${made.stderr.toString()}`);
  return image;
}

export type Bus = "virtio" | "nvme" | "ahci" | "usb";

/** QEMU's words for a disk on a bus. */
export function disk(bus: Bus, image: string): string[] {
  const id = `disk${randomUUID().slice(0, 8)}`;
  const drive = ["-drive", `file=${image},if=none,format=raw,id=${id}`];
  switch (bus) {
    case "virtio":
      return [...drive, "-device", `virtio-blk-pci,drive=${id}`];
    case "nvme":
      return [...drive, "-device", `nvme,drive=${id},serial=${id}`];
    case "ahci":
      return [
        ...drive,
        ...["-device", `ich9-ahci,id=bus${id}`, "-device", `ide-hd,bus=bus${id}.0,drive=${id}`],
      ];
    case "usb":
      return [...drive, "-device", "qemu-xhci", "-device", `usb-storage,drive=${id}`];
  }
}

/** The binary, its C library, a policy with its key, and modules. */
export async function bareArchive(
  name: KernelName,
  {
    policy = {},
    modules = diskModules,
    unsigned = [],
    more = [],
  }: {
    policy?: Readonly<Record<string, unknown>>;
    modules?: readonly string[];
    unsigned?: readonly string[];
    more?: readonly CpioEntry[];
  } = {},
): Promise<string> {
  const program = await withProgram(name);
  const rules = { trust: ["/etc/aegis-kexec/org.pub"], fileSystems, ...policy };
  const files: CpioEntry[] = [
    ...program.map(
      ({ path, source, mode = 0o644 }): CpioEntry => ({
        ...{ type: "file", path, mode, data: readFileSync(source) },
      }),
    ),
    text("/etc/aegis-kexec/policy.json", JSON.stringify(rules)),
    text("/etc/aegis-kexec/org.pub", signer.minisignKey()),
    ...(modules.length === 0 ? [] : moduleTree(kernel(name), modules, unsigned)),
    ...more,
  ].map((entry) => ({ ...entry, path: entry.path.slice(1) }));
  const folders = new Set<string>();
  for (const { path } of files) {
    const parts = path.split("/").slice(0, -1);
    for (let depth = 1; depth <= parts.length; depth++)
      folders.add(parts.slice(0, depth).join("/"));
  }
  const archive = temporaryPath("bare.cpio");
  const writer = Bun.file(archive).writer();
  const directories = [...folders].map((path) => ({ type: "directory", path }) as const);
  for (const chunk of archiveChunks([...directories, ...files])) writer.write(chunk);
  await writer.end();
  noteSources(
    archive,
    program.map(({ source }) => source),
  );
  return archive;
}

/** For archives that are to have a shell. */
export function busyboxFile(arch: Arch): CpioEntry {
  const name = arch === "x86_64" ? "amd64" : "arm64";
  const folder = unpackedPackage(`busybox-static:${name}`);
  if (folder === undefined) throw new Error("busybox is missing");
  return {
    ...{ type: "file", path: "/bin/busybox", mode: 0o755 },
    data: readFileSync(join(folder, "bin/busybox")),
  };
}

export interface PrebootOptions {
  readonly initramfs: string;
  /** Behind `boot`. */
  readonly words: string;
  readonly disks?: readonly string[];
  readonly firmware?: { readonly code: string; readonly variables: string };
  readonly image?: string;
  readonly reboot?: boolean;
  readonly bootTimeout?: number;
  readonly cmdline?: string;
}

/** Starts a kernel whose first process is the binary; the guest is the generation's. */
export function startPreboot(name: KernelName, options: PrebootOptions): Promise<Guest> {
  const known: Kernel = kernel(name);
  const { initramfs, words, disks = [], firmware, image, reboot, cmdline = "" } = options;
  return startGuest({
    kernel: image === undefined ? known : { ...known, path: image },
    initramfs,
    cmdline: `${cmdline} rdinit=/sbin/aegis-kexec -- boot ${words}`.trim(),
    memory: 1536,
    bootTimeout: options.bootTimeout ?? 300,
    extraQemuArgs: disks,
    ...(firmware === undefined ? {} : { firmware }),
    ...(reboot === undefined ? {} : { reboot }),
  });
}

/** What the console said of a preboot that ended in a reset, which ends QEMU. */
export async function consoleOfFailure(started: Promise<Guest>): Promise<string> {
  try {
    const guest = await started;
    throw new TypeError(`it booted: ${guest.announcement.cmdline}`);
  } catch (error) {
    if (error instanceof TypeError) throw error;
    return String(error);
  }
}
