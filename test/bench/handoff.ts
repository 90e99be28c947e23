/** The whole way: from the command to the next kernel's init, beside a reboot through firmware. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { type Guest, startGuest } from "../vm/lib/guest.ts";
import { guestInitramfs } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { kexecTools } from "../vm/lib/programs.ts";
import { type Figure, figure } from "./results.ts";
import type { Scene } from "./scene.ts";

/** Seconds of the host. */
export interface HandoffResults {
  readonly aegis: Figure;
  readonly kexecTools: Figure;
  readonly firmware: Figure;
  readonly firmwareName: string;
}

/** Firmware without Secure Boot: it starts sooner. */
const code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";

/**
 * A machine of OVMF, Debian's kernel, one initramfs. It starts that same kernel with that same
 * initramfs again, each way on a machine that was freshly booted, so that none comes after another;
 * the order is another one in each turn. The archive is read from a disk for the load; firmware is
 * given it by QEMU, which is faster than any boot loader: the comparison favours the firmware.
 * @returns undefined when this host has no OVMF
 */
export async function measureHandoff(
  scene: Scene,
  turns: number,
  report: (line: string) => void,
): Promise<HandoffResults | undefined> {
  if (!existsSync(code) || !existsSync(variables)) return undefined;
  const debian = kernel("debian-6.12");
  const token = randomUUID();
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token,
    programs: [{ path: "/sbin/aegis-kexec", source: scene.binary }, kexecTools()],
    entries: [{ type: "host-file", path: "/boot/vmlinuz", source: debian.path }],
    modules: { kernel: debian, names: ["virtio_pci", "virtio_blk"] },
  });
  const once = async (way: (line: string) => string): Promise<number> => {
    await using guest = await startGuest({
      kernel: debian,
      initramfs,
      memory: 2048,
      firmware: { code, variables },
      reboot: true,
      cmdline: "quiet rootfstype=ramfs",
      bootTimeout: 300,
      extraQemuArgs: ["-drive", `file=${initramfs},format=raw,if=virtio,readonly=on`],
    });
    await guest.check("cat /dev/vda >/boot/initrd.img", { timeout: 120 });
    return await secondsOf(guest, way(guest.announcement.cmdline), token);
  };
  const took: Record<Way, number[]> = { aegis: [], kexecTools: [], firmware: [] };
  for (let turn = 0; turn < turns; turn++) {
    for (const index of wayNames.keys()) {
      const way = wayNames[(index + turn) % wayNames.length] ?? "aegis";
      took[way].push(await once(ways[way]));
    }
    report(`handoff: turn ${turn + 1} of ${turns}: done`);
  }
  return {
    aegis: figure(took.aegis),
    kexecTools: figure(took.kexecTools),
    firmware: figure(took.firmware),
    firmwareName: "OVMF",
  };
}

const wayNames = ["aegis", "kexecTools", "firmware"] as const;
type Way = (typeof wayNames)[number];

/** By the command line of the running kernel, which the next one gets too. */
const ways: Readonly<Record<Way, (line: string) => string>> = {
  aegis: (line) =>
    `aegis-kexec boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline "${line}" --force`,
  kexecTools: (line) =>
    `kexec -s -l /boot/vmlinuz --initrd=/boot/initrd.img --command-line="${line}" && kexec -e`,
  firmware: () => "reboot -f",
};

async function secondsOf(guest: Guest, command: string, token: string): Promise<number> {
  const start = performance.now();
  const up = await guest.handoff(command, { timeout: 300 });
  if (up.token !== token) throw new Error(`something else came up: ${up.token}`);
  return (performance.now() - start) / 1000;
}
