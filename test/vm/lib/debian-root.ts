/**
 * A small Debian with initramfs-tools and dracut, made by mmdebstrap into the cache folder. It needs
 * the network and root, so test/setup.ts makes it and tests only use what is there.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheFolder, unshareMounts } from "./host.ts";
import type { Kernel } from "./kernels.ts";

export const debianRoot = join(cacheFolder, "initramfs-tools-root");

/** binutils, because dracut strips what it installs where it can. */
const packages = ["initramfs-tools", "dracut-core", "zstd", "binutils", "kmod", "udev", "mount"];

/** Whether commands can be run in it. */
export function hasDebianRoot(): boolean {
  if (!existsSync(debianRoot) || process.getuid?.() !== 0) return false;
  return Bun.spawnSync(["sh", "-c", `${unshareMounts} true`]).success;
}

/**
 * Makes it where it is not there yet, and only as root: a chroot is needed to use it.
 * @returns why it could not be made, or undefined.
 */
export async function makeDebianRoot(report: (line: string) => void): Promise<string | undefined> {
  if (existsSync(debianRoot)) return undefined;
  const problem = "cannot make a system with initramfs-tools and dracut";
  if (process.getuid?.() !== 0) return `${problem}: not root`;
  if (Bun.which("mmdebstrap") === null) return `${problem}: no mmdebstrap`;
  report("making a Debian system with initramfs-tools and dracut");
  const unfinished = `${debianRoot}.new`;
  rmSync(unfinished, { recursive: true, force: true });
  try {
    await run([
      ...["mmdebstrap", "--mode=root", "--variant=essential", `--include=${packages.join(",")}`],
      ...["bookworm", unfinished],
    ]);
  } catch (error) {
    return `${problem}: ${String(error).trim().split("\n").slice(-3).join("; ")}`;
  }
  renameSync(unfinished, debianRoot);
  return undefined;
}

/** Runs a shell script in it, with /proc. @returns its standard output. @throws Error when it fails. */
export function inDebian(script: string): Promise<string> {
  const enter =
    'mount -t proc proc "$0/proc"; trap \'umount "$0/proc"\' EXIT; chroot "$0" sh -euc "$1"';
  const apart = `${unshareMounts} --pid --fork sh -euc "$0" "$1" "$2"`;
  return run(["sh", "-euc", apart, enter, debianRoot, script]);
}

/** Gives it a kernel's modules and configuration, by which mkinitramfs chooses a compression. */
export async function installModules({ path, release, modules }: Kernel): Promise<void> {
  if (release === undefined || modules === undefined) throw new Error("the kernel has no modules");
  const folder = join(debianRoot, "lib/modules", release);
  if (existsSync(join(folder, "modules.dep"))) return;
  mkdirSync(folder, { recursive: true });
  cpSync(modules, folder, { recursive: true });
  copyFileSync(
    join(dirname(path), `config-${release}`),
    join(debianRoot, `boot/config-${release}`),
  );
  await inDebian(`depmod ${release}`);
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
