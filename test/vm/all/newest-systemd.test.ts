/** The newest systemd: it loads the next kernel itself, and keeps sessions of live update. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../../build/reuse.ts";
import { initrd, vmlinuz } from "../lib/aegis.ts";
import { type Guest, startGuest } from "../lib/guest.ts";
import { temporaryPath } from "../lib/host.ts";
import { guestInitramfs, text } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { vmTest } from "../lib/suite.ts";
import { diskInit, handover } from "../lib/systemd-guest.ts";
import { newestSystemdImage } from "../lib/systemd-image.ts";

const name = "x86_64-full";
const patience = 480;
const needs = [name, `file:${newestSystemdImage}`, "tool:cc"] as const;

/** Keeps a session of live update in its unit's store: LUOSession= of systemd.service(5). */
const keeper = `[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
LUOSession=kept
FileDescriptorStorePreserve=yes
`;

const words = "no_timer_check console=ttyS0 panic=-1 kho=on liveupdate=on";
const entry = `title Next\nlinux ${vmlinuz}\ninitrd ${initrd}\noptions ${words} by-entry\n`;

/** What is the same in every line of a guest's console that a test reads. */
const tell =
  "ls -l /proc/1/fd | sed -n 's/.*-> /held: /p' | grep luo_session; aegis-kexec status --json | tr -d '\\n'; echo; command -v kexec || echo no kexec-tools";

async function systemdGuest(command: string): Promise<{ guest: Guest; token: string }> {
  const image = temporaryPath("systemd.ext4");
  copyFileSync(newestSystemdImage, image);
  const session = temporaryPath("session");
  const source = join(import.meta.dir, "../guest/session.c");
  await Bun.$`cc -O2 -static -o ${session} ${source}`.quiet();
  const token = randomUUID();
  const next = guestInitramfs({
    arch: "x86_64",
    token,
    entries: [{ type: "host-file", path: "/sbin/session", source: session, mode: 0o755 }],
  });
  const units = "/payload/systemd/system";
  const initramfs = guestInitramfs({
    arch: "x86_64",
    entries: [
      { type: "file", path: "/init", data: new TextEncoder().encode(diskInit), mode: 0o755 },
      { type: "symlink", path: "/bin/switch_root", target: "busybox" },
      {
        type: "host-file",
        path: "/payload/aegis-kexec",
        source: await ensureBuilt("linux-x64"),
        mode: 0o755,
      },
      // Where systemd looks for boot entries first; their paths count from here.
      text("/payload/boot-loader-entries/loader/entries/next.conf", entry),
      {
        type: "host-file",
        path: `/payload/boot-loader-entries${vmlinuz}`,
        source: kernel(name).path,
      },
      { type: "host-file", path: `/payload/boot-loader-entries${initrd}`, source: next },
      text(`${units}/keeper.service`, keeper),
      text(`${units}/handover.service`, handover("/bin/sh /run/command", "keeper.service")),
      { type: "directory", path: "/payload/boot" },
      text("/payload/command", `${tell}\n${command}\n`),
      {
        type: "symlink",
        path: `${units}/graphical.target.wants/handover.service`,
        target: "../handover.service",
      },
    ],
  });
  // The first agent to speak is that of the next kernel.
  const guest = await startGuest({
    kernel: kernel(name),
    initramfs,
    memory: 3072,
    bootTimeout: patience,
    cmdline: `kho=on liveupdate=on kho_scratch=64M,384M,128M systemd.show_status=yes systemd.mask=serial-getty@ttyS0.service systemd.default_timeout_start_sec=${patience}`,
    extraQemuArgs: [
      ...["-drive", `file=${image},if=none,format=raw,id=root`],
      ...["-device", "virtio-blk-pci,drive=root"],
    ],
  });
  return { guest, token };
}

/** What `status` said of the running systemd, and the session, by the name that its descriptor had. */
async function expectKept(guest: Guest): Promise<void> {
  const log = guest.serialLog();
  expect(log).toContain('"sessions":"systemd"');
  const [, session = ""] = /held: anon_inode:\[luo_session\] (\S+)/.exec(log) ?? [];
  expect(session).not.toBe("");
  expect(await guest.check(`session retrieve ${session}`)).toBe("done\n");
}

vmTest(
  "systemctl kexec loads the default entry without kexec-tools, and the sessions of units are kept",
  { needs, timeout: patience + 60 },
  async () => {
    const { guest, token } = await systemdGuest("systemctl kexec --kernel-cmdline=by-systemctl");
    await using _guest = guest;
    expect(guest.announcement).toMatchObject({ token, cmdline: `${words} by-entry by-systemctl` });
    expect(guest.serialLog()).toContain("no kexec-tools");
    await expectKept(guest);
  },
);

vmTest(
  "a load of ours handed over by the same systemd keeps them, and says so",
  { needs, timeout: patience + 60 },
  async () => {
    const { guest, token } = await systemdGuest(
      "aegis-kexec boot /run/boot-loader-entries --verbose --append by-aegis",
    );
    await using _guest = guest;
    expect(guest.announcement).toMatchObject({ token, cmdline: `${words} by-entry by-aegis` });
    expect(guest.serialLog()).toMatch(
      /live update is on \(\/dev\/liveupdate\): systemd \d+ keeps the sessions in the stores of units/,
    );
    await expectKept(guest);
  },
);
