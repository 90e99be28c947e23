/** The binary as the first process: a kernel and an archive with little more than it are a preboot. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { archiveChunks, type CpioEntry } from "../../src/initramfs/cpio.ts";
import { unique } from "./lib/aegis.ts";
import { consoleArguments, startGuest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { guestInitramfs, type HostFile, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { moduleFiles } from "./lib/modules.ts";
import { muslLibraries } from "./lib/musl.ts";
import { muslPackages, unpackedPackage } from "./lib/packages.ts";
import { programFiles } from "./lib/programs.ts";
import { vmTest } from "./lib/suite.ts";

/** An archive with the binary, its C library and what it boots: no shell, no init, no folder for /proc. */
async function preboot(
  name: KernelName,
  token: string,
  { program, more = [] }: { program?: HostFile[]; more?: readonly CpioEntry[] } = {},
): Promise<string> {
  const { arch, path } = kernel(name);
  const next = guestInitramfs({ arch, token });
  const files = [
    ...(program ?? (await withGlibc(name))),
    { path: "/boot/vmlinuz", source: path, mode: 0o644 },
    { path: "/boot/initrd.img", source: next, mode: 0o644 },
  ];
  const folders = new Set<string>();
  for (const file of [...files, ...more]) {
    const parts = file.path.split("/").slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      folders.add(parts.slice(0, depth).join("/"));
    }
  }
  const entries: CpioEntry[] = [
    ...[...folders].map((path) => ({ type: "directory", path }) as const),
    ...more.map((entry) => ({ ...entry, path: entry.path.slice(1) })),
    text("boot/notes.txt", "not a kernel\n".repeat(200)),
    ...files.map(
      ({ path, source, mode = 0o644 }): CpioEntry => ({
        type: "file",
        path: path.slice(1),
        mode,
        data: readFileSync(source),
      }),
    ),
  ];
  const archive = temporaryPath("preboot.cpio");
  const writer = Bun.file(archive).writer();
  for (const chunk of archiveChunks(entries)) writer.write(chunk);
  await writer.end();
  return archive;
}

async function withGlibc(name: KernelName): Promise<HostFile[]> {
  const { arch } = kernel(name);
  const source = await ensureBuilt(arch === "x86_64" ? "linux-x64" : "linux-arm64");
  return programFiles(arch, [{ path: "/sbin/aegis-kexec", source }]);
}

async function withMusl(name: KernelName): Promise<HostFile[]> {
  const { arch } = kernel(name);
  const source = await ensureBuilt(arch === "x86_64" ? "linux-x64-musl" : "linux-arm64-musl");
  const program = { type: "host-file", path: "/sbin/aegis-kexec", source, mode: 0o755 } as const;
  return [program, ...muslLibraries(arch)];
}

for (const name of ["shared-x86_64", "shared-aarch64", "debian-6.12"] as const) {
  vmTest(`boots the next kernel as the first process of ${name}`, { needs: [name] }, async () => {
    const token = unique();
    const word = unique();
    const line = `${consoleArguments(kernel(name).arch)} quiet ${word}`;
    // "stray" is a word that the kernel does not know: it stands in front of the arguments.
    await using guest = await startGuest({
      kernel: kernel(name),
      initramfs: await preboot(name, token),
      cmdline: `stray rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline="${line}"`,
    });
    expect(guest.announcement).toMatchObject({ token, cmdline: line });
    expect(guest.serialLog()).toContain("handing over to the new kernel");
  });
}

for (const [name, arch] of [
  ["shared-x86_64", "x86_64"],
  ["shared-aarch64", "aarch64"],
] as const) {
  const packages = muslPackages[arch].map((one) => `package:${one}` as const);
  vmTest(
    `boots the next kernel as the first process of ${name}, built for musl`,
    { needs: [name, ...packages] },
    async () => {
      const token = unique();
      const line = `${consoleArguments(arch)} quiet`;
      await using guest = await startGuest({
        kernel: kernel(name),
        initramfs: await preboot(name, token, { program: await withMusl(name) }),
        cmdline: `rdinit=/sbin/aegis-kexec -- boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline="${line}"`,
      });
      expect(guest.announcement).toMatchObject({ token, cmdline: line });
      // Neither is a process of its own for the flushing lost on the way.
      expect(guest.serialLog()).not.toContain("not everything was flushed");
    },
  );
}

vmTest(
  "reboots 10 s after it failed as the first process",
  { needs: ["debian-6.12"] },
  async () => {
    const started = startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: await preboot("debian-6.12", ""),
      cmdline: "rdinit=/sbin/aegis-kexec -- boot /boot/notes.txt --cmdline=x",
    });
    // QEMU ends at a reset, so that no agent ever speaks.
    const failure = String(await started.catch((error: unknown) => error));
    expect(failure).toContain("QEMU ended with 0");
    expect(failure).toContain("cannot start /boot/notes.txt");
    expect(failure).toContain("rebooting through firmware in 10 s");
    expect(failure).toContain("reboot: Restarting system");
    expect(failure).not.toContain("Kernel panic");
  },
);

const code = "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd";
const variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

vmTest(
  "mounts what it needs, and reboots when it is done",
  { needs: ["debian-6.12", `file:${code}`, `file:${variables}`] },
  async () => {
    // The kernel asks for the module of efivarfs when that is mounted.
    const modprobe = "#!/bin/busybox sh\nexec /bin/busybox insmod /lib/modules/efivarfs.ko\n";
    const more = [
      ...moduleFiles(kernel("debian-6.12"), ["efivarfs"]),
      text("/sbin/modprobe", modprobe, 0o755),
    ];
    const busybox = join(unpackedPackage("busybox-static:amd64") ?? "", "bin/busybox");
    const program: HostFile[] = [
      ...(await withGlibc("debian-6.12")),
      { type: "host-file", path: "/bin/busybox", source: busybox, mode: 0o755 },
    ];
    const started = startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: await preboot("debian-6.12", "", { program, more }),
      cmdline: "rdinit=/sbin/aegis-kexec -- status --json",
      bootTimeout: 300,
      firmware: { code, variables },
    });
    const failure = String(await started.catch((error: unknown) => error));
    const status: unknown = JSON.parse(/^\{"architecture".*\}/m.exec(failure)?.[0] ?? "null");
    // Told by /proc and /sys, securityfs, efivarfs.
    expect(status).toMatchObject({ kexec: { loaded: false }, lockdown: "none", secureBoot: false });
    expect(failure).toContain("ended with exit code 0; rebooting through firmware in 10 s");
    expect(failure).toContain("reboot: Restarting system");
  },
);
