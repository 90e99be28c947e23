/** Live systems of Debian's packages, packed into ISO images, and disks that hold these as files. */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pack, plant } from "../../unit/image/iso-build.ts";
import { inDebian, installModules, liveRoot } from "../lib/debian-root.ts";
import { temporaryFolder, temporaryPath } from "../lib/host.ts";
import type { Kernel } from "../lib/kernels.ts";
import { installerPackage, unpackedPackage } from "../lib/packages.ts";

export type LiveKind = "live-boot" | "dmsquash-live";

const makers: Readonly<Record<LiveKind, (path: string, release: string) => string>> = {
  "live-boot": (path, release) => `mkinitramfs -o ${path} ${release}`,
  "dmsquash-live": (path, release) =>
    `dracut --force --no-hostonly --add dmsquash-live ${path} ${release}`,
};

/** The initramfs of a live system, as its own program makes it, once for each kernel. */
export async function liveInitramfs(kind: LiveKind, kernel: Kernel): Promise<string> {
  const { release } = kernel;
  if (release === undefined) throw new Error("the kernel has no modules");
  const name = `/boot/${kind}-${release}.img`;
  const path = join(liveRoot, name);
  if (existsSync(path)) return path;
  await installModules(kernel, liveRoot);
  await inDebian(`${makers[kind](`${name}.new`, release)} && chmod 644 ${name}.new`, liveRoot);
  renameSync(`${path}.new`, path);
  return path;
}

/** What is not needed to come up. */
const left = [
  ...["lib/modules", "usr/lib/modules", "boot/*", "var/cache", "var/lib/apt", "var/lib/dpkg/info"],
  ...[
    "usr/share/doc",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/perl*",
    "usr/share/zoneinfo",
  ],
  ...["usr/lib/x86_64-linux-gnu/perl*", "usr/lib/x86_64-linux-gnu/gconv", "usr/lib/udev/hwdb*"],
  ...["proc/*"],
];

/** Debian's root as a squashfs, with the agent as its init and a token that nothing else holds. */
function liveRootImage(token: string): string {
  const busybox = unpackedPackage("busybox-static:amd64");
  if (busybox === undefined) throw new Error("busybox is missing");
  const agent = temporaryPath("agent");
  const script = readFileSync(join(import.meta.dir, "../lib/agent.sh"), "utf8");
  writeFileSync(agent, script.replace(/^#!.*/, "#!/.bench/busybox sh"));
  const config = temporaryPath("config");
  writeFileSync(config, "PORT=/dev/ttyS1\nMOUNTS='proc sysfs devtmpfs'\n");
  const image = temporaryPath("root.squashfs");
  const added = [
    ".bench d 755 0 0",
    ".bench/run d 700 0 0",
    `.bench/busybox f 755 0 0 cat ${join(busybox, "bin/busybox")}`,
    `.bench/config f 644 0 0 cat ${config}`,
    `usr/sbin/init f 755 0 0 cat ${agent}`,
    `token f 444 0 0 echo ${token}`,
  ];
  run([
    ...["mksquashfs", liveRoot, image, "-comp", "zstd", "-Xcompression-level", "3", "-noappend"],
    ...["-quiet", "-no-progress", "-wildcards", "-processors", "1"],
    ...added.flatMap((line) => ["-p", line]),
    ...["-e", ...left],
  ]);
  return image;
}

const menus: Readonly<Record<LiveKind, string>> = {
  "live-boot": `menuentry "Live system" --id live {
  linux /live/vmlinuz boot=live components console=ttyS0 findiso=\${iso_path}
  initrd /live/initrd.img
}
`,
  // Its menu says nothing of images in files. A squashfs that is the root itself needs an overlay.
  "dmsquash-live": `menuentry "Live system" --id live {
  linux /boot/x86_64/loader/linux root=live:CDLABEL=LIVE rd.live.image rd.live.overlay.overlayfs=1 console=ttyS0
  initrd /boot/x86_64/loader/initrd
}
`,
};

const places: Readonly<
  Record<LiveKind, Readonly<Record<"kernel" | "initramfs" | "root", string>>>
> = {
  "live-boot": {
    kernel: "live/vmlinuz",
    initramfs: "live/initrd.img",
    root: "live/filesystem.squashfs",
  },
  "dmsquash-live": {
    kernel: "boot/x86_64/loader/linux",
    initramfs: "boot/x86_64/loader/initrd",
    root: "LiveOS/squashfs.img",
  },
};

/** @returns the path of the ISO image */
export async function liveImage(kind: LiveKind, kernel: Kernel, token: string): Promise<string> {
  const folder = temporaryFolder("live");
  const { kernel: linux, initramfs, root } = places[kind];
  plant(folder, {
    "boot/grub/grub.cfg": menus[kind],
    [linux]: readFileSync(kernel.path),
    [initramfs]: readFileSync(await liveInitramfs(kind, kernel)),
    [root]: readFileSync(liveRootImage(token)),
  });
  return pack(folder, temporaryPath("live.iso"), "both", ["-V", "LIVE"]);
}

/**
 * Debian's installer for networks as its own ISO image (mini.iso) has it: kernel, archive and menus of
 * the package, in the places of debian-installer's build/util/gen-mini-iso and config/x86.cfg.
 * @returns the path of the ISO image
 */
export function installerImage(): string {
  const unpacked = unpackedPackage(installerPackage);
  if (unpacked === undefined) throw new Error(`${installerPackage} is missing`);
  const netboot = join(
    unpacked,
    "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64",
  );
  const read = (name: string) => readFileSync(join(netboot, name));
  const menu = read("grub/grub.cfg").toString().replaceAll("/debian-installer/amd64/", "/");
  const folder = temporaryFolder("installer");
  plant(folder, {
    linux: read("linux"),
    "initrd.gz": read("initrd.gz"),
    "boot/grub/grub.cfg": menu,
    "isolinux.cfg": "default install\nlabel install\nkernel linux\nappend initrd=initrd.gz\n",
  });
  return pack(folder, temporaryPath("installer.iso"), "both", ["-V", "ISOIMAGE"]);
}

export type DiskType = "ext4" | "vfat" | "exfat";

/** A disk without partitions that holds these files in /isos; an exFAT is empty, for nothing writes to one. */
export function diskWith(type: DiskType, files: Readonly<Record<string, string>>): string {
  const image = temporaryPath(`disk.${type}`);
  const size = "320M";
  if (type === "ext4") {
    const folder = temporaryFolder("disk");
    mkdirSync(join(folder, "isos"));
    for (const [name, path] of Object.entries(files)) run(["cp", path, join(folder, "isos", name)]);
    run(["mke2fs", "-q", "-t", "ext4", "-d", folder, image, size]);
    return image;
  }
  run(["truncate", "-s", size, image]);
  run([`mkfs.${type}`, image]);
  if (type === "exfat") return image;
  run(["mmd", "-i", image, "::/isos"]);
  for (const [name, path] of Object.entries(files)) {
    run(["mcopy", "-i", image, path, `::/isos/${name}`]);
  }
  return image;
}

function run(command: readonly string[]): void {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const result = Bun.spawnSync([...command], { env: { ...process.env, PATH: path } });
  if (result.exitCode !== 0) throw new Error(`${command.join(" ")}: ${result.stderr.toString()}`);
}

/** A key pair, and the image's signature by it: `minisign -S`, as the stick's author runs it. */
export function minisigned(image: string): {
  readonly publicKey: string;
  readonly signature: string;
} {
  const folder = temporaryFolder("keys");
  const [publicKey, secret] = [join(folder, "key.pub"), join(folder, "key")];
  const signature = join(folder, "signature");
  for (const command of [
    ["minisign", "-G", "-W", "-p", publicKey, "-s", secret],
    ["minisign", "-S", "-s", secret, "-m", image, "-x", signature],
  ]) {
    const { exitCode, stderr } = Bun.spawnSync(command);
    if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
  }
  return { publicKey, signature };
}
