/**
 * Small Debians with initramfs-tools and dracut, made by mmdebstrap into the cache folder. That needs
 * the network and root, so test/setup.ts makes them and tests only use what is there.
 */
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { asRoot, cacheFolder, dpkgInHaste, removal, unshareMounts, withOwnMounts } from "./host.ts";
import type { Kernel } from "./kernels.ts";

export const debianRoot = join(cacheFolder, "initramfs-tools-root");

/** With what makes live systems, of either kind. */
export const liveRoot = join(cacheFolder, "live-root");

/** binutils, because dracut strips what it installs where it can. */
const packages = [
  ...["initramfs-tools", "dracut-core", "dracut-network"],
  ...["zstd", "binutils", "kmod", "udev", "mount", "procps"],
];

const livePackages = [
  "initramfs-tools",
  "live-boot",
  "dracut-live",
  "zstd",
  "kmod",
  "udev",
  "mount",
];

/** With systemd, and what opens LUKS volumes from either kind of initramfs. */
export const luksRoot = join(cacheFolder, "luks-root");

const luksPackages = [
  ...["systemd-sysv", "udev", "kmod", "mount", "zstd", "binutils"],
  ...["initramfs-tools", "cryptsetup-initramfs", "dracut-core", "busybox"],
];

/** Whether commands can be run in it. */
export function hasDebianRoot(root = debianRoot): boolean {
  const probe = asRoot(["sh", "-c", `${unshareMounts} true`]);
  return existsSync(root) && probe !== undefined && Bun.spawnSync(probe).success;
}

/**
 * Makes it where it is not there yet, and only as root: a chroot is needed to use it.
 * @returns why it could not be made, or undefined.
 */
export function makeDebianRoot(report: (line: string) => void): Promise<string | undefined> {
  return makeRoot(debianRoot, packages, "initramfs-tools and dracut", report);
}

/** As `makeDebianRoot`. */
export function makeLiveRoot(report: (line: string) => void): Promise<string | undefined> {
  return makeRoot(liveRoot, livePackages, "live-boot and dracut's dmsquash-live", report);
}

/** As `makeDebianRoot`. */
export function makeLuksRoot(report: (line: string) => void): Promise<string | undefined> {
  return makeRoot(luksRoot, luksPackages, "cryptsetup", report);
}

async function makeRoot(
  root: string,
  include: readonly string[],
  what: string,
  report: (line: string) => void,
): Promise<string | undefined> {
  const list = include.join(",");
  if (madeOf(root) === list) return undefined;
  const problem = `cannot make a system with ${what}`;
  const make = asRoot(
    withOwnMounts(["mmdebstrap", "--mode=root", "--variant=essential", dpkgInHaste]),
  );
  if (make === undefined) return `${problem}: not root`;
  if (Bun.which("mmdebstrap") === null) return `${problem}: no mmdebstrap`;
  report(`making a Debian system with ${what}`);
  const unfinished = `${root}.new`;
  try {
    await run(asRoot([...removal, unfinished]) ?? []);
    await run([...make, `--include=${list}`, "bookworm", unfinished]);
    await run(asRoot(["chown", "--no-dereference", "--recursive", owner(), unfinished]) ?? []);
  } catch (error) {
    return `${problem}: ${String(error).trim().split("\n").slice(-3).join("; ")}`;
  }
  writeFileSync(join(unfinished, record), list);
  await run(asRoot([...removal, root]) ?? []);
  renameSync(unfinished, root);
  return undefined;
}

/** In a root: the packages that it was made of, so that one of before is made anew where they have changed. */
const record = "packages";

function madeOf(root: string): string | undefined {
  const path = join(root, record);
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Runs a shell script in it, with /proc. @returns its standard output. @throws Error when it fails. */
export function inDebian(script: string, root = debianRoot): Promise<string> {
  const leave = `umount "$0/proc"; chown --no-dereference --recursive ${owner()} "$0"`;
  const enter = `mount -t proc proc "$0/proc"; trap '${leave}' EXIT; chroot "$0" sh -euc "$1"`;
  const apart = `${unshareMounts} --pid --fork sh -euc "$0" "$1" "$2"`;
  return run(asRoot(["sh", "-euc", apart, enter, root, script]) ?? []);
}

/** All of it is this user's, who may have become root by sudo, and puts files there and reads them. */
function owner(): string {
  return `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`;
}

/** Gives it a kernel's modules and configuration, by which mkinitramfs chooses a compression. */
export async function installModules(
  { path, release, modules }: Kernel,
  root = debianRoot,
): Promise<void> {
  if (release === undefined || modules === undefined) throw new Error("the kernel has no modules");
  const folder = join(root, "lib/modules", release);
  if (existsSync(join(folder, "modules.dep"))) return;
  mkdirSync(folder, { recursive: true });
  cpSync(modules, folder, { recursive: true });
  copyFileSync(join(dirname(path), `config-${release}`), join(root, `boot/config-${release}`));
  await inDebian(`depmod ${release}`, root);
}

async function run(command: string[]): Promise<string> {
  const child = Bun.spawn(command, {
    env: { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", LC_ALL: "C" },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (exit !== 0) throw new Error(`exit ${exit} of ${command.at(-1)}\n${stdout}${stderr}`);
  return stdout;
}
