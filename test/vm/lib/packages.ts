/**
 * Debian packages for the guests: downloaded with the host's package sources
 * but with apt's state in the cache folder, and unpacked there. Nothing is
 * installed, nothing of the host is changed, no root is needed.
 */
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Apt, download, lastLine, output, privateApt } from "./apt.ts";
import { cacheFolder } from "./host.ts";

/** A package as `name:architecture`; of another suite than bookworm, as `sid/name:architecture`. */
export type PackageName = `${string}:${"amd64" | "arm64"}`;

/** Packages that stand for another one, by version: the newest kernel of a series. */
const metaPackages: readonly PackageName[] = [
  "linux-image-cloud-amd64:amd64",
  "linux-image-6.12-cloud-amd64:amd64",
  "linux-image-6.12-amd64:amd64",
  "linux-image-cloud-arm64:arm64",
];

/** The libraries of Debian's `kexec`. */
export const kexecToolsLibraries: readonly PackageName[] = [
  "libxenmisc4.17:amd64",
  "libxentoollog1:amd64",
  "libxencall1:amd64",
  "libxenevtchn1:amd64",
  "libxengnttab1:amd64",
  "libxenforeignmemory1:amd64",
  "libxendevicemodel1:amd64",
  "libxentoolcore1:amd64",
];

/** The newest kexec-tools, with all that its `kexec` is linked to, the C library among it. */
export const newestKexecTools: readonly PackageName[] = [
  "sid/kexec-tools:amd64",
  "sid/libc6:amd64",
  "sid/libxenmisc4.20:amd64",
  "sid/libxentoollog1:amd64",
  "sid/libxencall1:amd64",
  "sid/libxenevtchn1:amd64",
  "sid/libxengnttab1:amd64",
  "sid/libxenforeignmemory1:amd64",
  "sid/libxendevicemodel1:amd64",
  "sid/libxentoolcore1:amd64",
];

/** From 261 on its `systemctl` loads kernels itself. */
export const newestSystemd: PackageName = "sid/systemd:amd64";

/** The libraries of Debian's `makedumpfile`. */
export const makedumpfileLibraries: readonly PackageName[] = [
  "libdw1:amd64",
  "libelf1:amd64",
  "liblzo2-2:amd64",
  "libbz2-1.0:amd64",
  "liblzma5:amd64",
  "zlib1g:amd64",
];

/** What the musl binary runs with; Debian builds no libstdc++ for musl. */
export const muslPackages = {
  x86_64: ["musl:amd64", "libstdc++6:amd64", "libgcc-s1:amd64"],
  aarch64: ["musl:arm64", "libstdc++6:arm64", "libgcc-s1:arm64"],
} as const;

/** QEMU's emulation of one process: bookworm's 7.2 lacks openat2(2). Its programs need no libraries. */
export const processEmulator: PackageName = "sid/qemu-user:amd64";

/** What the demonstration needs. */
export const demoPackages: readonly PackageName[] = [
  "linux-image-6.12-cloud-amd64:amd64",
  "busybox-static:amd64",
  "libc6:amd64",
];

/** Debian's installer as it lies on a network server, and in an ISO image of its own. */
export const installerPackage: PackageName = "debian-installer-12-netboot-amd64:amd64";

/** ukify, what it is written with, and the stub that it puts in front. */
export const ukifyPackages = [
  "sid/systemd-ukify:amd64",
  "sid/python3-pefile:amd64",
  "sid/systemd-boot-efi:amd64",
] as const satisfies readonly PackageName[];

/** What the tests and benchmarks need. */
export const testPackages: readonly PackageName[] = [
  ...demoPackages,
  "linux-image-cloud-amd64:amd64",
  "linux-image-6.12-amd64:amd64",
  "linux-image-cloud-arm64:arm64",
  "busybox-static:arm64",
  "libc6:arm64",
  "kexec-tools:amd64",
  ...kexecToolsLibraries,
  ...newestKexecTools,
  "minisign:amd64",
  "libsodium23:amd64",
  ...muslPackages.x86_64,
  ...muslPackages.aarch64,
  processEmulator,
  // What enables fs-verity on a file
  "fsverity:amd64",
  "libfsverity0:amd64",
  "libssl3:amd64",
  // Scripts that call kexec
  "kdump-tools:amd64",
  "sysvinit-utils:amd64",
  "makedumpfile:amd64",
  ...makedumpfileLibraries,
  "linux-source-6.1:amd64",
  installerPackage,
  ...ukifyPackages,
  "dhcpcd-base:amd64",
  "libudev1:amd64",
];

/** What is done to a package too large to be kept whole, by the shell, in its folder. */
const reductions: Readonly<Partial<Record<PackageName, string>>> = {
  "linux-source-6.1:amd64":
    "tar -xJf usr/src/*.tar.xz --wildcards '*/tools/testing/selftests/kexec/*' && rm usr/src/*.tar.xz",
  // Thirty other processors.
  [processEmulator]: "find usr ! -type d ! -name qemu-aarch64 -delete",
  // The same once more, with a graphical screen.
  [installerPackage]: "rm -r usr/lib/debian-installer/images/12/amd64/gtk",
};

const packageFolder = join(cacheFolder, "packages");
const indexPath = join(packageFolder, "index.json");

/** The folder into which the package was unpacked, if it was. */
export function unpackedPackage(name: PackageName): string | undefined {
  const folder = readIndex()[name];
  if (folder === undefined) return undefined;
  const path = join(packageFolder, folder);
  return existsSync(path) ? path : undefined;
}

/**
 * Downloads and unpacks what is not there yet.
 * @returns the packages that could not be had, each with the reason.
 */
export async function fetchPackages(
  names: readonly PackageName[],
  report: (line: string) => void,
): Promise<ReadonlyMap<PackageName, string>> {
  const wanted = names.filter((name) => unpackedPackage(name) === undefined);
  const missing = new Map<PackageName, string>();
  if (wanted.length === 0) return missing;
  report(`reading Debian's package lists for ${wanted.length} packages`);
  for (const suite of ["bookworm", "sid"] as const) {
    const ofSuite = wanted.filter((name) => name.startsWith("sid/") === (suite === "sid"));
    if (ofSuite.length === 0) continue;
    const apt = await privateApt(packageFolder, suite);
    if (typeof apt === "string") {
      for (const name of ofSuite) missing.set(name, apt);
      continue;
    }
    try {
      for (const name of ofSuite) {
        const problem = await fetchOne(name, apt, report);
        if (problem !== undefined) missing.set(name, problem);
      }
    } finally {
      rmSync(apt.folder, { recursive: true, force: true });
    }
  }
  return missing;
}

async function fetchOne(
  name: PackageName,
  apt: Apt,
  report: (line: string) => void,
): Promise<string | undefined> {
  const real = metaPackages.includes(name)
    ? await newestOf(name, apt)
    : name.slice(name.indexOf("/") + 1);
  if (real === undefined) return "the package sources do not have it";
  report(`downloading ${real}`);
  const got = await download(real, apt);
  if ("problem" in got) return got.problem;
  // name_version_architecture, where %3a stands for the colon after an epoch
  const folder = basename(got.archive, ".deb").replace("%3a", "-");
  const unpacked = join(apt.folder, "unpacked");
  const unpack = await output(["dpkg-deb", "--extract", got.archive, unpacked]);
  rmSync(got.archive);
  if (unpack.exit !== 0) return lastLine(unpack.stderr);
  const reduction = reductions[name] ?? ":";
  const reduced = await output(["sh", "-c", `cd "$1" && ${reduction}`, "sh", unpacked]);
  if (reduced.exit !== 0) return lastLine(reduced.stderr);
  const target = join(packageFolder, folder);
  rmSync(target, { recursive: true, force: true });
  renameSync(unpacked, target);
  const index = { ...readIndex(), [name]: folder };
  writeFileSync(`${indexPath}.new`, `${JSON.stringify(index, undefined, 2)}\n`);
  renameSync(`${indexPath}.new`, indexPath);
  return undefined;
}

/** The package that a meta package depends on in its newest version. */
async function newestOf(name: PackageName, apt: Apt): Promise<string | undefined> {
  const shown = await output(["apt-cache", "show", "--no-all-versions", name], apt);
  const image = /^Depends:.*?(linux-image-\S+)/m.exec(shown.stdout)?.[1];
  return image === undefined ? undefined : `${image}:${name.split(":")[1]}`;
}

function readIndex(): Record<string, string> {
  if (!existsSync(indexPath)) return {};
  const index: unknown = JSON.parse(readFileSync(indexPath, "utf8"));
  if (typeof index !== "object" || index === null) return {};
  return Object.fromEntries(
    Object.entries(index).flatMap(([name, folder]) =>
      typeof folder === "string" ? [[name, folder]] : [],
    ),
  );
}
