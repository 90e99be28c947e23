/** The binary as the first process: a kernel and an archive with little more than it are a preboot. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { ensureBuilt } from "../../build/reuse.ts";
import { archiveChunks, type CpioEntry } from "../../src/initramfs/cpio.ts";
import { unique } from "./lib/aegis.ts";
import { consoleArguments, startGuest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { programFiles } from "./lib/programs.ts";
import { vmTest } from "./lib/suite.ts";

/** An archive with the binary, its C library and what it boots: no shell, no init, no folder for /proc. */
async function preboot(name: KernelName, token: string): Promise<string> {
  const { arch, path } = kernel(name);
  const binary = await ensureBuilt(arch === "x86_64" ? "linux-x64" : "linux-arm64");
  const next = guestInitramfs({ arch, token });
  const files = [
    ...programFiles(arch, [{ path: "/sbin/aegis-kexec", source: binary }]),
    { path: "/boot/vmlinuz", source: path, mode: 0o644 },
    { path: "/boot/initrd.img", source: next, mode: 0o644 },
  ];
  const folders = new Set<string>();
  for (const file of files) {
    const parts = file.path.split("/").slice(1, -1);
    for (let depth = 1; depth <= parts.length; depth++) {
      folders.add(parts.slice(0, depth).join("/"));
    }
  }
  const entries: CpioEntry[] = [
    ...[...folders].map((path) => ({ type: "directory", path }) as const),
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

vmTest(
  "reboots 10 s after it failed as the first process",
  { needs: ["debian-6.12"] },
  async () => {
    const started = startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: await preboot("debian-6.12", ""),
      cmdline: "rdinit=/sbin/aegis-kexec -- boot /boot/notes.txt --cmdline=x",
      bootTimeout: 60,
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
