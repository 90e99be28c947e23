/** Debian's systemd on a disk, as the system of a guest that hands over. */
import { readFileSync } from "node:fs";
import { ensureBuilt } from "../../../build/reuse.ts";
import { initrd, unique, vmlinuz } from "./aegis.ts";
import { copyOf, mountDisk } from "./disk.ts";
import { type GuestOptions, startGuest } from "./guest.ts";
import { type GuestEntry, guestInitramfs, text } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";

/** The kernel that runs on the disk, which is Debian 13's. */
export const name: KernelName = "debian-6.12";

/** Seconds for both kernels and systemd between them. A minute is usual; the host may be busy. */
export const patience = 480;

/** Mounts the disk, puts the test's files and units into its /run, gives it a /boot to mount, and goes over to it. */
export const diskInit = `${mountDisk}mount -t tmpfs tmpfs /new/run
cp -a /payload/. /new/run/
ln -s /run/aegis-kexec /new/usr/sbin/aegis-kexec
echo '/run/boot /boot none bind 0 0' >/new/etc/fstab
exec switch_root /new /sbin/init
`;

/** A unit that speaks on the console, behind others. */
export const handover = (command: string, behind: string) => `[Unit]
After=${behind} multi-user.target
Wants=${behind}
[Service]
ExecStart=${command}
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
`;

/** What an initramfs needs to go over to the disk. */
export const toDisk: readonly GuestEntry[] = [
  text("/init", diskInit, 0o755),
  { type: "symlink", path: "/bin/switch_root", target: "busybox" },
];

/** A service that is started after all others. */
export function lastService(unit: string): readonly GuestEntry[] {
  const wants = "/payload/systemd/system/graphical.target.wants";
  return [
    text("/payload/systemd/system/handover.service", unit),
    { type: "directory", path: wants },
    { type: "symlink", path: `${wants}/handover.service`, target: "../handover.service" },
  ];
}

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

/**
 * Debian's systemd on a copy of the disk, with a service that runs the command once all else is up. The guest
 * is there when the agent of the next kernel speaks.
 */
export async function systemdGuest(
  disk: string,
  command: string,
  more: readonly GuestEntry[] = [],
  options: Pick<GuestOptions, "onConsole"> = {},
) {
  const image = copyOf(disk);
  const token = unique();
  const next = guestInitramfs({ arch: "x86_64", token });
  const binary = await ensureBuilt("linux-x64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk", "i6300esb"] },
    entries: [
      ...toDisk,
      { type: "file", path: "/payload/aegis-kexec", data: readFileSync(binary), mode: 0o755 },
      { type: "host-file", path: `/payload${vmlinuz}`, source: kernel(name).path },
      { type: "host-file", path: `/payload${initrd}`, source: next },
      text("/payload/systemd/system/witness.service", witness),
      text("/payload/systemd/system/filtered.service", filtered),
      ...lastService(handover(command, "witness.service filtered.service")),
      ...more,
    ],
  });
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
