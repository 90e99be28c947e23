/** Debian's kdump-tools as they are packaged, with `kexec` being this program: from boot to a dump after a panic. */
import { expect } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { scene, unique, vmlinuz } from "./lib/aegis.ts";
import { consoleArguments } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { findKernel } from "./lib/kernels.ts";
import { unpackedPackage } from "./lib/packages.ts";
import { makedumpfile } from "./lib/programs.ts";
import { vmTest } from "./lib/suite.ts";

const release = findKernel("debian-6.1")?.release ?? "";
const kdump = unpackedPackage("kdump-tools:amd64") ?? "";
const init = unpackedPackage("sysvinit-utils:amd64") ?? "";

function packaged(folder: string, path: string, mode = 0o755, target = path): GuestEntry {
  return { type: "host-file", path: target, source: join(folder, path), mode };
}

/** What apt would have installed; its configuration is copied into /etc by ucf. */
function installed(): GuestEntry[] {
  return [
    packaged(kdump, "/usr/sbin/kdump-config"),
    packaged(kdump, "/etc/init.d/kdump-tools"),
    packaged(kdump, "/etc/kdump/sysctl.conf", 0o644),
    packaged(kdump, "/usr/share/kdump-tools/kdump-tools.conf", 0o644, "/etc/default/kdump-tools"),
    packaged(init, "/lib/lsb/init-functions", 0o644),
    packaged(init, "/lib/init/vars.sh", 0o644),
    // No package of the guest has it, and /bin/sh is busybox'
    text(
      "/usr/bin/file",
      '#!/bin/sh\necho "$1: Linux kernel x86 boot executable bzImage"\n',
      0o755,
    ),
    text("/usr/bin/logger", "#!/bin/sh\n", 0o755),
  ];
}

const panic = "echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger";
const needs = [
  "debian-6.1",
  "package:kdump-tools:amd64",
  "package:sysvinit-utils:amd64",
  "package:makedumpfile:amd64",
] as const;

vmTest("kdump-tools' own scripts load, and save a dump after a panic", { needs }, async () => {
  const mark = unique();
  const given = scene({
    first: "debian-6.1",
    entries: [
      ...installed(),
      { type: "symlink", path: "/sbin/kexec", target: "aegis-kexec" },
      { type: "symlink", path: `/boot/vmlinuz-${release}`, target: vmlinuz },
      // What its hook keeps beside the archive that it makes, so that it is not made anew
      packaged(kdump, "/etc/kdump/sysctl.conf", 0o644, `/var/lib/kdump/latest_sysctls-${release}`),
      {
        type: "symlink",
        path: `/var/lib/kdump/initrd.img-${release}`,
        target: "/boot/initrd.img",
      },
    ],
    nextEntries: installed(),
    nextPrograms: [makedumpfile()],
    guest: { memory: 1024, cmdline: `crashkernel=256M ${mark}` },
  });
  await using guest = await given.start();
  const { stdout, stderr } = await guest.run("/etc/init.d/kdump-tools start");
  expect(`${stdout}${stderr}`).toContain("loaded kdump kernel");
  expect(await guest.check("cat /sys/kernel/kexec_crash_loaded")).toBe("1\n");
  expect(await guest.check("kdump-config status")).toContain("ready to kdump");
  const defaults = readFileSync(join(kdump, "usr/sbin/kdump-config"), "utf8");
  const appended = /KDUMP_CMDLINE_APPEND:="([^"]*)"/.exec(defaults)?.[1] ?? "none";

  await guest.check(`echo said-before-${mark} >/dev/kmsg`);
  const up = await guest.handoff(panic);
  expect(up.token).toBe(given.token);
  expect(up.cmdline.replace(/^elfcorehdr=0x[0-9a-f]+ /, "")).toBe(
    `${consoleArguments("x86_64")} ${mark} ${appended}`,
  );
  await guest.check("[ -s /proc/vmcore ]");
  const saved = await guest.run("kdump-config savecore", { timeout: 240 });
  expect(`${saved.exit} ${saved.stdout}${saved.stderr}`).toMatch(/^0 [\s\S]*saved vmcore in/);
  const log = await guest.check("cat /var/crash/*/dmesg.*");
  expect(log).toContain(`said-before-${mark}`);
  expect(log).toContain("sysrq: Trigger a crash");
  // makedumpfile's flattened format begins with its name, and what is in it is far from empty
  expect(await guest.check("head -c 12 /var/crash/*/dump.*")).toBe("makedumpfile");
  expect(Number(await guest.check("cat /var/crash/*/dump.* | wc -c"))).toBeGreaterThan(1 << 20);
});
