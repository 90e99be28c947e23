/**
 * A disk with Debian and systemd, made by mmdebstrap into the cache folder: `bun
 * test/vm/lib/systemd-image.ts`. It needs the network, so tests only use what is there.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./host.ts";

/** The image: ext4, without a partition table. Copy it before a guest writes to it. */
export const systemdImage = join(cacheFolder, "debian-systemd.ext4");

/** What Debian does not call essential and a system run by systemd needs. */
const packages = ["systemd-sysv", "dbus", "udev", "kmod"];

/**
 * Makes the image where it is not there yet, as root or in a user namespace.
 * @returns why it could not be made, or undefined.
 */
export async function makeSystemdImage(
  report: (line: string) => void,
): Promise<string | undefined> {
  if (existsSync(systemdImage)) return undefined;
  for (const tool of ["mmdebstrap", "mke2fs"]) {
    if (Bun.which(tool) === null) return `this host has no ${tool}`;
  }
  report("making a Debian system for a guest");
  mkdirSync(cacheFolder, { recursive: true });
  const unfinished = `${systemdImage}.new`;
  rmSync(unfinished, { force: true });
  const child = Bun.spawn(
    [
      ...["mmdebstrap", "--variant=essential", "--format=null"],
      `--include=${packages.join(",")}`,
      '--customize-hook=rm -rf "$1"/usr/share/doc "$1"/usr/share/locale "$1"/var/cache/apt "$1"/var/lib/apt/lists',
      // Bound without what is mounted below it: the hook finds /proc and /sys there.
      `--customize-hook=unshare --mount sh -c 'mount --bind "$1" "$1/mnt" && mke2fs -q -t ext4 -d "$1/mnt" ${unfinished} 512M' sh "$1"`,
      ...["bookworm", "/dev/null"],
    ],
    { stdin: "ignore", stdout: "ignore", stderr: "pipe" },
  );
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exit !== 0 || !existsSync(unfinished)) {
    return `mmdebstrap: ${said.trim().split("\n").at(-1) ?? exit}`;
  }
  renameSync(unfinished, systemdImage);
  return undefined;
}

if (import.meta.main) {
  const problem = await makeSystemdImage((line) => console.log(line));
  if (problem !== undefined) {
    console.error(problem);
    process.exitCode = 1;
  }
}
