/**
 * Disks with Debian and systemd, made by mmdebstrap into the cache folder. It needs the network, so
 * test/setup.ts makes them and tests only use what is there.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { asRoot, cacheFolder, dpkgInHaste, unshareMounts, withOwnMounts } from "./host.ts";

/** ext4, without a partition table. Copy it before a guest writes to it. */
export const systemdImage = join(cacheFolder, "debian-systemd.ext4");

/** The same of the next stable release. */
export const trixieImage = join(cacheFolder, "debian-trixie-systemd.ext4");

/** With what Ansible manages a machine by. */
export const fleetImage = join(cacheFolder, "debian-fleet.ext4");

/** Debian with OpenRC below sysvinit. */
export const openrcImage = join(cacheFolder, "debian-openrc.ext4");

/** The same as people have it installed: a kernel with its initramfs, and what writes boot menus. */
export const installedImage = join(cacheFolder, "debian-installed.ext4");

/** The newest systemd, of sid: from 261 on it loads kernels itself, and keeps sessions of live update. */
export const newestSystemdImage = join(cacheFolder, "debian-newest-systemd.ext4");

/** Debian's suites of which disks are made. */
type Suite = "bookworm" | "trixie" | "sid";

/** How mmdebstrap installs what it downloads. */
export interface Way {
  /** What it takes beside mmdebstrap. */
  readonly tools: readonly string[];
  /** mmdebstrap, so that it writes the image. */
  readonly command: (mmdebstrap: readonly string[], suite: Suite, image: string) => string[];
}

/** Shell: the disk of what is in a folder. */
export const writeImage = (folder: string, image: string) =>
  `mke2fs -q -t ext4 -d "${folder}" ${image} 512M`;

/** What Debian does not call essential and a system run by systemd needs. */
const packages = ["systemd-sysv", "dbus", "udev", "kmod"];

/** As `makeImage` does. */
export function makeSystemdImage(report: (line: string) => void): Promise<string | undefined> {
  return makeImage(systemdImage, packages, report);
}

/** As `makeImage` does. */
export function makeTrixieImage(report: (line: string) => void): Promise<string | undefined> {
  return makeImage(trixieImage, packages, report, "trixie");
}

/** As `makeImage` does. */
export function makeNewestSystemdImage(
  report: (line: string) => void,
): Promise<string | undefined> {
  // Of a newer Debian that is essential no more.
  return makeImage(newestSystemdImage, [...packages, "mount"], report, "sid");
}

/** As `makeImage` does. */
export function makeFleetImage(report: (line: string) => void): Promise<string | undefined> {
  return makeImage(fleetImage, [...packages, "openssh-server", "python3"], report);
}

/** As `makeImage` does. */
export function makeOpenrcImage(report: (line: string) => void): Promise<string | undefined> {
  const include = ["openrc", "sysvinit-core", "initscripts", "udev", "kmod"];
  return makeImage(openrcImage, include, report);
}

/** As `makeImage` does. */
export function makeInstalledImage(report: (line: string) => void): Promise<string | undefined> {
  const more = ["linux-image-cloud-amd64", "initramfs-tools", "zstd"];
  const menus = ["grub2-common", "u-boot-menu"];
  return makeImage(installedImage, [...packages, ...more, ...menus], report);
}

/** Of the same machine: as root, by sudo, or in a user namespace. */
const inChroot: Way = {
  tools: [],
  command: (mmdebstrap, suite, image) => [
    ...(asRoot(withOwnMounts(mmdebstrap)) ?? mmdebstrap),
    // Bound without what is mounted below it: the hook finds /proc and /sys there.
    `--customize-hook=${unshareMounts} sh -euc 'mount --bind "$1" "$1/mnt"; trap "umount \\"$1/mnt\\"" EXIT; ${writeImage("$1/mnt", image)}' sh "$1"`,
    ...[suite, "/dev/null"],
  ],
};

/**
 * Makes the image where it is not there yet.
 * @returns why it could not be made, or undefined.
 */
export async function makeImage(
  image: string,
  include: readonly string[],
  report: (line: string) => void,
  suite: Suite = "bookworm",
  { tools, command }: Way = inChroot,
): Promise<string | undefined> {
  if (existsSync(image)) return undefined;
  const problem = `cannot make ${basename(image)}`;
  for (const tool of ["mmdebstrap", "mke2fs", ...tools]) {
    if (Bun.which(tool) === null) return `${problem}: no ${tool}`;
  }
  report(`making a Debian system: ${basename(image)}`);
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = `${image}.new`;
  rmSync(unfinished, { force: true });
  const make = [
    ...["mmdebstrap", "--variant=essential", "--format=null", dpkgInHaste, ...validity()],
    `--include=${include.join(",")}`,
    '--customize-hook=rm -rf "$1"/usr/share/doc "$1"/usr/share/locale "$1"/var/cache/apt "$1"/var/lib/apt/lists',
  ];
  const child = Bun.spawn(command(make, suite, unfinished), {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exit !== 0 || !existsSync(unfinished)) {
    // What follows an error is how it was cleaned up
    const lines = said.split("\n").filter((line) => line.trim() !== "" && !line.startsWith("I: "));
    return `${problem}: mmdebstrap: ${lines.slice(-5).join("; ")}`;
  }
  renameSync(unfinished, image);
  return undefined;
}

/**
 * The host's own setting on lists that are past their time, as those of a snapshot are; mmdebstrap reads no settings
 * of the host.
 */
function validity(): string[] {
  if (Bun.which("apt-config") === null) return [];
  const name = "Acquire::Check-Valid-Until";
  const line = Bun.spawnSync(["apt-config", "dump", name]).stdout.toString().trim();
  return line.startsWith(name) ? [`--aptopt=${line}`] : [];
}
