/** A handover of Debian's systemd: services are stopped, the disk is unmounted, the next kernel runs. */
import { expect } from "bun:test";
import { copyFileSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { initrd, unique, vmlinuz } from "./lib/aegis.ts";
import { type GuestOptions, startGuest } from "./lib/guest.ts";
import { repository, temporaryPath } from "./lib/host.ts";
import { type GuestEntry, guestInitramfs, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { printedCommand } from "./lib/readme.ts";
import { vmTest } from "./lib/suite.ts";
import { diskInit, handover } from "./lib/systemd-guest.ts";
import { systemdImage } from "./lib/systemd-image.ts";

const name: KernelName = "debian-6.12";
/** Seconds for both kernels and systemd between them. A minute is usual; the host may be busy. */
const patience = 480;
const needs = [name, `file:${systemdImage}`, "tool:debugfs"] as const;

/** Writes to the disk when it is stopped. */
const witness = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'echo witness stopped >/dev/ttyS0; echo stopped >/root/witness'
`;

/** A seccomp filter, of which neither the errno nor the kernel's log says a word. */
const filtered = `[Service]
Type=oneshot
SystemCallFilter=~kexec_file_load
SystemCallErrorNumber=EPERM
ExecStart=-/run/aegis-kexec load /run${vmlinuz} --initrd /run${initrd} --cmdline x --json
StandardOutput=file:/dev/ttyS0
`;

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

async function systemdGuest(
  command: string,
  more: readonly GuestEntry[] = [],
  options: Pick<GuestOptions, "onConsole"> = {},
) {
  const image = temporaryPath("systemd.ext4");
  copyFileSync(systemdImage, image);
  const token = unique();
  const next = guestInitramfs({ arch: "x86_64", token });
  const binary = await ensureBuilt("linux-x64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk", "i6300esb"] },
    entries: [
      { type: "file", path: "/init", data: new TextEncoder().encode(diskInit), mode: 0o755 },
      { type: "symlink", path: "/bin/switch_root", target: "busybox" },
      { type: "file", path: "/payload/aegis-kexec", data: readFileSync(binary), mode: 0o755 },
      { type: "host-file", path: `/payload${vmlinuz}`, source: kernel(name).path },
      { type: "host-file", path: `/payload${initrd}`, source: next },
      text("/payload/systemd/system/witness.service", witness),
      text("/payload/systemd/system/filtered.service", filtered),
      text(
        "/payload/systemd/system/handover.service",
        handover(command, "witness.service filtered.service"),
      ),
      { type: "directory", path: "/payload/systemd/system/graphical.target.wants" },
      {
        type: "symlink",
        path: "/payload/systemd/system/graphical.target.wants/handover.service",
        target: "../handover.service",
      },
      ...more,
    ],
  });
  // The first agent to speak is that of the next kernel.
  const guest = await startGuest({
    ...options,
    kernel: kernel(name),
    initramfs,
    memory: 2048,
    bootTimeout: patience,
    // A getty would hang up the line on which the program speaks.
    cmdline: `systemd.show_status=yes systemd.mask=serial-getty@ttyS0.service systemd.default_timeout_start_sec=${patience}`,
    extraQemuArgs: [
      ...["-drive", `file=${image},if=none,format=raw,id=root`],
      ...["-device", "virtio-blk-pci,drive=root", "-device", "i6300esb"],
    ],
  });
  return { guest, image, token };
}

function readDisk(image: string): { witness: string; features: string } {
  const witness = Bun.spawnSync(["debugfs", "-R", "cat /root/witness", image]).stdout.toString();
  const all = Bun.spawnSync(["dumpe2fs", "-h", image]).stdout.toString();
  return { witness, features: /^Filesystem features:.*$/m.exec(all)?.[0] ?? "" };
}

vmTest("systemd stops its services and hands over", { needs, timeout: patience + 60 }, async () => {
  const { guest, image, token } = await systemdGuest(boot("--watchdog 240 --no-sync"));
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
  const { guest, image, token } = await systemdGuest(boot("--force"));
  await using _guest = guest;
  expect(guest.announcement.token).toBe(token);
  expect(guest.serialLog()).not.toContain("witness stopped");
  expect(readDisk(image).witness).toBe("");
});

vmTest(
  "systemctl kexec works with this binary as /sbin/kexec",
  { needs, timeout: patience + 60 },
  async () => {
    const { guest, image, token } = await systemdGuest(systemctlKexec, bootEntry);
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
    const { guest, token } = await systemdGuest(byUnits, installed(entry));
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
    const ended = systemdGuest(byUnits.replace("'", `'${older} && `), installed(refused), {
      onConsole: (text) => {
        log += text;
      },
    });
    // Without the reset that QEMU ends with, the guest would go on until it is out of time
    await expect(ended).rejects.toThrow("QEMU ended with 0");
    expect(log.indexOf("witness stopped")).toBeGreaterThan(0);
    expect(log.search(/Starting .*aegis-kexec-refus/)).toBeGreaterThan(
      log.indexOf("witness stopped"),
    );
    expect(log).not.toContain("Starting new kernel");
  },
);

const tool = "install";

/**
 * As somebody does who has the archive of a release, with the commands of docs/install.md as they stand. The unit
 * does not start where there is nothing to load, and says so; that ends nothing.
 */
const install = `#!/bin/bash
set -ex
mkdir -p /run/release
cp -r /run/contrib /run/release/
cp /run/aegis-kexec /run/release/
cd /run/release
${printedCommand(tool)}
echo SOURCE=/nowhere >/etc/default/aegis-kexec
! systemctl start aegis-kexec-load.service
sleep 1
echo "refused unit: $(systemctl show --property=ConditionResult,ActiveState aegis-kexec-refused.service | tr '\\n' ' ')"
cat >/etc/default/aegis-kexec <<'END'
SOURCE=/boot
OPTIONS='--cmdline "no_timer_check console=ttyS0 panic=-1 systemd.mask=serial-getty@ttyS0.service quiet by-hand"'
END
aegis-kexec inspect /boot --cmdline x | head -n 3
${printedCommand(`${tool}-enable`)}
systemctl is-active aegis-kexec-load.service
${printedCommand(`${tool}-restart`)}
`;

/** What is done in the second kernel, where the same disk is the root: see that it worked, undo it, go back. */
const afterwards = `#!/bin/bash
set -ex
${printedCommand(`${tool}-check`)}
${printedCommand(`${tool}-undo`)}
! command -v aegis-kexec
! systemctl cat aegis-kexec-load.service
ls /etc/systemd/system
echo "undone: all"
systemctl reboot
`;

const says = (script: string) => `[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash /run/${script}
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
`;

vmTest(
  "docs/install.md as it stands, on Debian: from the install to the second kernel, the undo and back",
  { needs, timeout: 2 * patience },
  async () => {
    const version = "6.12.0-next";
    const second = guestInitramfs({
      arch: "x86_64",
      modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk"] },
      entries: [
        { type: "file", path: "/init", data: new TextEncoder().encode(diskInit), mode: 0o755 },
        { type: "symlink", path: "/bin/switch_root", target: "busybox" },
        text("/payload/afterwards", afterwards),
        text("/payload/systemd/system/handover.service", says("afterwards")),
        { type: "directory", path: "/payload/boot" },
        { type: "directory", path: "/payload/systemd/system/graphical.target.wants" },
        {
          type: "symlink",
          path: "/payload/systemd/system/graphical.target.wants/handover.service",
          target: "../handover.service",
        },
      ],
    });
    const released = ["systemd", "man", "completions"].flatMap((folder) =>
      readdirSync(join(repository, "contrib", folder)).map(
        (file) =>
          ({
            type: "host-file",
            path: `/payload/contrib/${folder}/${file}`,
            source: join(repository, "contrib", folder, file),
          }) as const,
      ),
    );
    let log = "";
    const ended = systemdGuest(
      "/bin/bash /run/install",
      [
        text("/payload/install", install),
        ...released,
        { type: "host-file", path: `/payload/boot/vmlinuz-${version}`, source: kernel(name).path },
        { type: "host-file", path: `/payload/boot/initrd.img-${version}`, source: second },
      ],
      {
        onConsole: (part) => {
          log += part;
        },
      },
    );
    await expect(ended).rejects.toThrow("QEMU ended with 0");
    expect(log).toContain("aegis-kexec: cannot open the kernel /nowhere: no such file");
    expect(log).toMatch(/refused unit: .*ActiveState=inactive/);
    expect(log).toContain("panic=-1 systemd.mask=serial-getty@ttyS0.service quiet by-hand");
    expect(log).toContain("undone: all");
  },
);
