/** The guest in which programs are measured: Debian's kernel, all programs, all files. */
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { type Guest, startGuest } from "../vm/lib/guest.ts";
import { type GuestEntry, guestInitramfs, text } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { fetchPackages, newestSystemd, unpackedPackage } from "../vm/lib/packages.ts";
import { kexecTools, minisign, type Program } from "../vm/lib/programs.ts";
import { type BenchFiles, benchFiles, random } from "./files.ts";
import { guestScript } from "./measure.ts";
import { countingProgram, emptyProgram, floorProgram } from "./programs.ts";
import { cmdline, type ProgramName } from "./works.ts";

/** Instructions of the program that the instrument is checked with. */
export const countedInstructions = 100_000_000;

export interface Scene {
  readonly files: BenchFiles;
  readonly binary: string;
  /** guest/floor.c, where it could be built. */
  readonly floor?: string;
  /** Programs that cannot be measured here, and why. */
  readonly missing: ReadonlyMap<ProgramName, string>;
  /** @param options.icount count instructions; otherwise time is the host's */
  start(options: { memory: number; icount: boolean }): Promise<Guest>;
}

/** Builds and writes all that the guests contain, once. */
export async function prepareScene(report: (line: string) => void): Promise<Scene> {
  report("building the programs");
  const debian = kernel("debian-6.12");
  const binary = await ensureBuilt("linux-x64");
  const missing = new Map<ProgramName, string>();
  const programs: Program[] = [
    { path: "/sbin/aegis-kexec", source: binary },
    { path: "/bench/empty", source: await emptyProgram() },
    kexecTools(),
    minisign(),
  ];
  const systemctl = await systemctlProgram(report);
  if ("missing" in systemctl) missing.set("systemctl kexec", systemctl.missing);
  else programs.push(systemctl);
  const openssl = await opensslProgram(report);
  if ("missing" in openssl) {
    missing.set("openssl + cat + kexec-tools", openssl.missing);
    missing.set("openssl dgst + bare system call", openssl.missing);
  } else programs.push(openssl);
  const floor = await floorProgram();
  if ("missing" in floor) {
    missing.set("bare system call", floor.missing);
    missing.set("openssl dgst + bare system call", floor.missing);
  }
  report("writing the archives");
  const small = kernel("shared-x86_64");
  const files = await benchFiles({ debian: debian.path, small: small.path });
  const entries: GuestEntry[] = [
    guestScript("measure.sh"),
    guestScript("today.sh"),
    text("/bench/cmdline", `${cmdline}\n`),
    { type: "host-file", path: "/boot/vmlinuz", source: debian.path },
    ...files.parts.map(
      (source, index) =>
        ({ type: "host-file", path: `/boot/part-${index + 1}.img`, source }) as const,
    ),
    { type: "host-file", path: "/boot/small-vmlinuz", source: small.path },
    { type: "host-file", path: "/boot/small.img", source: files.small },
    ...files.generation.map(
      ({ name, source }) => ({ type: "host-file", path: `/boot/${name}`, source }) as const,
    ),
    { type: "host-file", path: "/etc/org.pub", source: files.minisignKey },
    { type: "host-file", path: "/etc/org.pem", source: files.opensslKey },
    { type: "host-file", path: "/root/key.cpio", source: files.keyArchive },
    { type: "file", path: "/root/key", data: random(32, 99), mode: 0o400 },
    {
      type: "file",
      path: "/bench/count",
      data: countingProgram(countedInstructions / 2),
      mode: 0o755,
    },
    ...("path" in floor
      ? [{ type: "host-file", path: "/bench/floor", source: floor.path, mode: 0o755 } as const]
      : []),
  ];
  return {
    files,
    binary,
    ...("path" in floor ? { floor: floor.path } : {}),
    missing,
    start: async ({ memory, icount }) => {
      const guest = await startGuest({
        kernel: debian,
        initramfs: guestInitramfs({ arch: "x86_64", token: "bench", programs, entries }),
        memory,
        ...(icount ? { icount: "shift=0,sleep=off" } : {}),
        // A tmpfs as root would hold half of the memory only
        cmdline: "quiet rootfstype=ramfs",
        bootTimeout: 300,
      });
      // What the kernel still does behind a boot would be counted with the first programs.
      await guest.check(
        [
          ". /bench/measure.sh; prepare",
          "mount -t tmpfs -o size=90% run /run",
          // Paths of boot entries count from there.
          "mkdir -p /run/boot-loader-entries/loader/entries /run/boot-loader-entries/boot",
          "mount --bind /boot /run/boot-loader-entries/boot",
          "cat /boot/part-*.img >/boot/initrd.img",
          "sleep 20",
        ].join("\n"),
        { timeout: 300 },
      );
      return guest;
    },
  };
}

/** The newest systemd's `systemctl`, which loads kernels itself. */
async function systemctlProgram(
  report: (line: string) => void,
): Promise<Program | { readonly missing: string }> {
  const library = "sid/libsystemd-shared:amd64";
  const problems = await fetchPackages([newestSystemd, library], report);
  const folder = unpackedPackage(newestSystemd);
  if (folder === undefined || problems.size > 0) {
    return { missing: [...problems.values()][0] ?? "the package is missing" };
  }
  return {
    path: "/usr/bin/systemctl",
    source: join(folder, "usr/bin/systemctl"),
    libraries: [library],
  };
}

/** Debian's `openssl`, which the test packages do not have. */
async function opensslProgram(
  report: (line: string) => void,
): Promise<Program | { readonly missing: string }> {
  const problems = await fetchPackages(["openssl:amd64", "libssl3:amd64"], report);
  const folder = unpackedPackage("openssl:amd64");
  if (folder === undefined || problems.size > 0) {
    return { missing: [...problems.values()][0] ?? "the package is missing" };
  }
  const source = join(folder, "usr/bin/openssl");
  return { path: "/usr/bin/openssl", source, libraries: ["libssl3:amd64"] };
}
