/** A handover of full systems that are not systemd's: services see SIGTERM, and the disk is clean. */
import { expect } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { ensureBuilt } from "../../build/reuse.ts";
import { initrd, unique, vmlinuz } from "./lib/aegis.ts";
import { mountDisk } from "./lib/disk.ts";
import { startGuest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { vmTest } from "./lib/suite.ts";
import { openrcImage } from "./lib/systemd-image.ts";

const name: KernelName = "debian-6.12";
const patience = 480;
const needs = [name, `file:${openrcImage}`, "tool:debugfs"] as const;

/** Puts the test's files on the disk, and goes over to the init that the test gives. */
const init = (program: string) => `${mountDisk}cp -a /payload /bin/busybox /new/
rm -f /new/root/witness
cp -a /payload/etc/. /new/etc/
mkdir -p /new/etc/runlevels/default
ln -sf /etc/init.d/witness /new/etc/runlevels/default/witness
exec switch_root /new ${program}
`;

/** It holds something until it is told to stop, and its file is open for writing until then. */
const witness = `#!/bin/sh
exec 9>>/root/open
trap 'echo "$0 saw TERM" >>/root/witness; exit 0' TERM
echo started >>/root/witness
while :; do sleep 1; done
`;

const handover = `#!/bin/sh
exec >/dev/ttyS0 2>&1
until [ "$(grep -c started /root/witness)" = 2 ]; do sleep 1; done
/payload/aegis-kexec boot /payload${vmlinuz} --initrd /payload${initrd} --cmdline "console=ttyS0 panic=-1" --verbose
echo "it came back: $?"
`;

/** A service of OpenRC, and what nobody supervises. */
const service = `#!/sbin/openrc-run
start() {
  start-stop-daemon --start --background --make-pidfile --pidfile /run/witness.pid --exec /payload/service
  start-stop-daemon --start --background --exec /payload/stray
}
stop() {
  start-stop-daemon --stop --retry TERM/10 --pidfile /run/witness.pid
  echo "service stopped" >>/root/witness
}
`;

const inittabs = {
  openrc: `id:2:initdefault:
si::sysinit:/etc/init.d/rcS
l2:2:wait:/etc/init.d/rc 2
ho:2:once:/payload/handover
`,
  busybox: `::sysinit:/busybox mount -t proc proc /proc
::sysinit:/busybox mount -t sysfs sysfs /sys
::sysinit:/busybox mount -t devtmpfs devtmpfs /dev
::sysinit:/busybox mount -t tmpfs tmpfs /run
::respawn:/payload/service
::once:/payload/stray
::once:/payload/handover
`,
};

async function left(system: keyof typeof inittabs) {
  const image = temporaryPath(`${system}.ext4`);
  copyFileSync(openrcImage, image);
  const token = unique();
  const binary = await ensureBuilt("linux-x64");
  const initramfs = guestInitramfs({
    arch: "x86_64",
    modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk"] },
    entries: [
      text("/init", init(system === "busybox" ? "/payload/init" : "/sbin/init"), 0o755),
      { type: "symlink", path: "/bin/switch_root", target: "busybox" },
      { type: "file", path: "/payload/aegis-kexec", data: readFileSync(binary), mode: 0o755 },
      { type: "host-file", path: `/payload${vmlinuz}`, source: kernel(name).path },
      {
        type: "host-file",
        path: `/payload${initrd}`,
        source: guestInitramfs({ arch: "x86_64", token }),
      },
      { type: "symlink", path: "/payload/init", target: "/busybox" },
      text("/payload/service", witness, 0o755),
      text("/payload/stray", witness, 0o755),
      text("/payload/handover", handover, 0o755),
      text("/payload/etc/inittab", inittabs[system]),
      text("/payload/etc/init.d/witness", service, 0o755),
    ],
  });
  await using guest = await startGuest({
    kernel: kernel(name),
    initramfs,
    memory: 2048,
    bootTimeout: patience,
    extraQemuArgs: [
      ...["-drive", `file=${image},if=none,format=raw,id=root`],
      ...["-device", "virtio-blk-pci,drive=root"],
    ],
  });
  expect(guest.announcement.token).toBe(token);
  const read = (...command: string[]) => Bun.spawnSync([...command, image]).stdout.toString();
  return {
    log: guest.serialLog(),
    witness: read("debugfs", "-R", "cat /root/witness"),
    header: read("dumpe2fs", "-h"),
  };
}

vmTest(
  "OpenRC stops its services before the handover",
  { needs, timeout: patience + 60 },
  async () => {
    const { log, witness: seen, header } = await left("openrc");
    expect(log).toContain("openrc shutdown stops the services");
    expect(seen).toContain("/payload/service saw TERM");
    expect(seen).toContain("service stopped");
    expect(seen).toContain("/payload/stray saw TERM");
    expect(header).toMatch(/Filesystem state: +clean\n/);
    expect(header).not.toContain("needs_recovery");
  },
);

vmTest("under busybox' init all see SIGTERM, once", { needs, timeout: patience + 60 }, async () => {
  const { log, witness: seen, header } = await left("busybox");
  expect(log).toContain("stopping what runs under busybox");
  expect(seen.match(/service saw TERM/g)).toHaveLength(1);
  expect(seen).toContain("/payload/stray saw TERM");
  expect(seen.match(/started/g)).toHaveLength(2);
  expect(header).toMatch(/Filesystem state: +clean\n/);
  expect(header).not.toContain("needs_recovery");
});
