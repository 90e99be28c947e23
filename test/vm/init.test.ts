/** The binary as the first process: a kernel and an archive with little more than it are a preboot. */
import { expect } from "bun:test";
import { join } from "node:path";
import { binaryFor, initrd, unique, vmlinuz } from "./lib/aegis.ts";
import { consoleArguments, startGuest } from "./lib/guest.ts";
import { guestInitramfs, type HostFile, text } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { moduleFiles } from "./lib/modules.ts";
import { muslPackages, unpackedPackage } from "./lib/packages.ts";
import { preboot, withMusl, withProgram } from "./lib/preboot.ts";
import { vmTest } from "./lib/suite.ts";

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
  "an /init of five lines passes on what it asked for, and boots the next kernel",
  { needs: ["debian-6.12"] },
  async () => {
    const name = "debian-6.12";
    const token = unique();
    const line = `${consoleArguments(kernel(name).arch)} quiet`;
    const boot = `/sbin/aegis-kexec boot ${vmlinuz} --initrd ${initrd} --secret -:/etc/key --cmdline "${line}"`;
    const init = [
      "#!/bin/sh",
      "mount -t proc proc /proc",
      "mount -t sysfs sysfs /sys",
      "mount -t devtmpfs devtmpfs /dev",
      `printf 'what was asked for' | ${boot}`,
    ];
    await using guest = await startGuest({
      kernel: kernel(name),
      initramfs: guestInitramfs({
        arch: kernel(name).arch,
        programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
        entries: [
          text("/init", `${init.join("\n")}\n`, 0o755),
          { type: "host-file", path: vmlinuz, source: kernel(name).path },
          {
            type: "host-file",
            path: initrd,
            source: guestInitramfs({ arch: kernel(name).arch, token }),
          },
        ],
      }),
    });
    expect(guest.announcement).toMatchObject({ token, cmdline: line });
    expect(await guest.check("cat /etc/key")).toBe("what was asked for");
  },
);

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
      ...(await withProgram("debian-6.12")),
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
