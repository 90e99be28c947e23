/** A handover of Debian's systemd: services are stopped, the disk is unmounted, the next kernel runs. */
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { initrd, vmlinuz } from "./lib/aegis.ts";
import { repository } from "./lib/host.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { vmTest } from "./lib/suite.ts";
import { name, patience, systemdGuest } from "./lib/systemd-guest.ts";
import { systemdImage } from "./lib/systemd-image.ts";
import { installPageScenario } from "./scenarios/install-page.ts";

const needs = [name, `file:${systemdImage}`, "tool:debugfs"] as const;

/** What this program is told, with further options. */
const boot = (options: string) =>
  `/run/aegis-kexec boot /run${vmlinuz} --initrd /run${initrd} --cmdline "no_timer_check console=ttyS0 panic=-1" --verbose ${options}`;

/** Where systemd looks for boot entries first; their paths count from here. */
const entriesFolder = "/run/boot-loader-entries";

/** A boot entry for systemd to load by kexec, and a kexec that tells the console what it was told. */
const bootEntry: readonly GuestEntry[] = [
  text(
    "/payload/boot-loader-entries/loader/entries/next.conf",
    "title Next\nlinux /vmlinuz\ninitrd /initrd.img\noptions no_timer_check console=ttyS0 panic=-1\noptions by-kexec\n",
  ),
  { type: "symlink", path: "/payload/boot-loader-entries/vmlinuz", target: `/run${vmlinuz}` },
  { type: "symlink", path: "/payload/boot-loader-entries/initrd.img", target: `/run${initrd}` },
  text(
    "/payload/told",
    '#!/bin/sh\necho "told: kexec $*" >/dev/ttyS0\nexec /usr/local/sbin/kexec "$@"\n',
    0o755,
  ),
];

/**
 * What people do where kexec-tools is installed, after a handover that is refused for want of a
 * watchdog: systemd calls /sbin/kexec to load and to jump.
 */
const systemctlKexec =
  "/bin/sh -c 'cp /run/aegis-kexec /usr/local/sbin/kexec && cp /run/told /sbin/kexec && rm /dev/watchdog*; " +
  `${boot("--watchdog 60")}; exec systemctl kexec'`;

/** As people install the units, and as they restart by kexec with them. */
const byUnits =
  "/bin/sh -c 'systemctl enable --runtime --now aegis-kexec-load.service && " +
  "exec systemctl start --no-block --job-mode=replace-irreversibly kexec.target'";

/** The units of contrib/, and a boot entry for what is in /boot. */
function installed(entry: string): GuestEntry[] {
  const units = join(repository, "contrib/systemd");
  return [
    ...readdirSync(units).map(
      (unit) =>
        ({
          type: "host-file",
          path: `/payload/systemd/system/${unit}`,
          source: join(units, unit),
        }) as const,
    ),
    text("/payload/boot/loader/entries/next.conf", entry),
  ];
}

function readDisk(image: string): { witness: string; features: string } {
  const witness = Bun.spawnSync(["debugfs", "-R", "cat /root/witness", image]).stdout.toString();
  const all = Bun.spawnSync(["dumpe2fs", "-h", image]).stdout.toString();
  return { witness, features: /^Filesystem features:.*$/m.exec(all)?.[0] ?? "" };
}

vmTest("systemd stops its services and hands over", { needs, timeout: patience + 60 }, async () => {
  const { guest, image, token } = await systemdGuest(
    systemdImage,
    boot("--watchdog 240 --no-sync"),
  );
  await using _guest = guest;
  expect(guest.announcement.token).toBe(token);
  const log = guest.serialLog();
  expect(log).toContain("handing over to the new kernel");
  expect(log).toContain("--no-sync has no effect");
  expect(log).toContain("systemd arms the watchdog with 240 s");
  expect(log).toContain("the watchdog will not guard the next kernel: its driver");
  expect(log).toContain("witness stopped");
  expect(log.indexOf("handing over")).toBeLessThan(log.indexOf("witness stopped"));
  expect(log).toMatch(
    /"code":"not-permitted","exit":7,"errno":"EPERM".*a security module .*or a seccomp filter/,
  );
  const { witness, features } = readDisk(image);
  expect(witness).toBe("stopped\n");
  expect(features).not.toContain("needs_recovery");
});

vmTest("--force leaves systemd out", { needs, timeout: patience + 60 }, async () => {
  const { guest, image, token } = await systemdGuest(systemdImage, boot("--force"));
  await using _guest = guest;
  expect(guest.announcement.token).toBe(token);
  expect(guest.serialLog()).not.toContain("witness stopped");
  expect(readDisk(image).witness).toBe("");
});

vmTest(
  "systemctl kexec works with this binary as /sbin/kexec",
  { needs, timeout: patience + 60 },
  async () => {
    const { guest, image, token } = await systemdGuest(systemdImage, systemctlKexec, bootEntry);
    await using _guest = guest;
    expect(guest.announcement).toMatchObject({
      token,
      cmdline: "no_timer_check console=ttyS0 panic=-1 by-kexec",
    });
    const log = guest.serialLog();
    expect(log).toContain("witness stopped");
    const told = [...log.matchAll(/told: (kexec .*?)\r?\n/g)].map(([, line]) =>
      line?.replaceAll("//", "/"),
    );
    expect(told).toEqual([
      `kexec --load ${entriesFolder}/vmlinuz --append no_timer_check console=ttyS0 panic=-1 by-kexec --initrd ${entriesFolder}/initrd.img`,
      "kexec -e",
    ]);
    expect(log).toContain("cannot arm the watchdog: there is no /dev/watchdog");
    expect(readDisk(image).witness).toBe("stopped\n");
  },
);

const entry = `title next\nlinux /vmlinuz\ninitrd /initrd.img\noptions no_timer_check console=ttyS0 panic=-1 by-entry\n`;

vmTest(
  "the units load the default entry at kexec.target",
  { needs, timeout: patience + 60 },
  async () => {
    const { guest, token } = await systemdGuest(systemdImage, byUnits, installed(entry));
    await using _guest = guest;
    expect(guest.announcement).toMatchObject({
      token,
      cmdline: "no_timer_check console=ttyS0 panic=-1 by-entry",
    });
    expect(guest.serialLog()).toContain("witness stopped");
  },
);

vmTest(
  "a default entry that is refused ends in firmware, not in what was loaded before",
  { needs, timeout: patience + 60 },
  async () => {
    const older = `/run/aegis-kexec load /run${vmlinuz} --initrd /run${initrd} --cmdline "console=ttyS0 older"`;
    const refused = entry.replace("/vmlinuz", "/loader/entries/next.conf");
    let log = "";
    const ended = systemdGuest(
      systemdImage,
      byUnits.replace("'", `'${older} && `),
      installed(refused),
      {
        onConsole: (text) => {
          log += text;
        },
      },
    );
    // Without the reset that QEMU ends with, the guest would go on until it is out of time
    await expect(ended).rejects.toThrow("QEMU ended with 0");
    expect(log.indexOf("witness stopped")).toBeGreaterThan(0);
    expect(log.search(/Starting .*aegis-kexec-refus/)).toBeGreaterThan(
      log.indexOf("witness stopped"),
    );
    expect(log).not.toContain("Starting new kernel");
  },
);

installPageScenario("Debian 12", systemdImage, "/sbin/kexec");
