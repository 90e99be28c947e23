/** The least memory of a machine in which a handoff succeeds. */
import { randomUUID } from "node:crypto";
import { startGuest } from "../vm/lib/guest.ts";
import { guestInitramfs } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { kexecTools, type Program } from "../vm/lib/programs.ts";
import { nextInitramfs } from "./next.ts";
import type { Scene } from "./scene.ts";

export interface LeastMemory {
  readonly program: "aegis-kexec" | "kexec-tools";
  /** MiB of the machine: it succeeds with this, and not with `step` less. */
  readonly megabytes: number;
  /** MiB of the smallest machine that brings up the first initramfs itself, nothing loaded. */
  readonly boots: number;
}

/** MiB: how exactly the boundary is found. */
export const step = 16;
const initrdSize = 60;

/**
 * For each program: a first initramfs with the program, the kernel and the next initramfs in it,
 * on a machine that starts nothing else.
 */
export async function measureLeastMemory(
  scene: Scene,
  report: (line: string) => void,
): Promise<LeastMemory[]> {
  const debian = kernel("debian-6.12");
  const token = randomUUID();
  const next = nextInitramfs(token, initrdSize);
  const contenders: readonly (readonly [LeastMemory["program"], Program, string])[] = [
    [
      "aegis-kexec",
      { path: "/sbin/aegis-kexec", source: scene.binary },
      "aegis-kexec boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline panic=-1 --force",
    ],
    [
      "kexec-tools",
      kexecTools(),
      "kexec -s -l /boot/vmlinuz --initrd=/boot/initrd.img --command-line=panic=-1 && kexec -e",
    ],
  ];
  const results: LeastMemory[] = [];
  for (const [program, file, command] of contenders) {
    const initramfs = guestInitramfs({
      arch: "x86_64",
      token: "first",
      programs: [file],
      entries: [
        { type: "host-file", path: "/boot/vmlinuz", source: debian.path },
        { type: "host-file", path: "/boot/initrd.img", source: next },
      ],
    });
    const attempt = async (memory: number, way: string | undefined) => {
      try {
        await using guest = await startGuest({
          predict: false,
          kernel: debian,
          initramfs,
          memory,
          cmdline: "quiet rootfstype=ramfs",
          bootTimeout: 60,
        });
        if (way === undefined) return true;
        return (await guest.handoff(way, { timeout: 90 })).token === token;
      } catch {
        return false;
      }
    };
    const boots = await least((memory) => attempt(memory, undefined));
    const megabytes = await least((memory) => attempt(memory, command), boots);
    report(`least memory: ${program} ${megabytes} MiB, its initramfs alone ${boots} MiB`);
    results.push({ program, megabytes, boots });
  }
  return results;
}

/** Bisects between what cannot do and what surely does. */
async function least(succeeds: (memory: number) => Promise<boolean>, from = 128): Promise<number> {
  let tooLittle = from - step;
  let enough = 1024;
  while (enough - tooLittle > step) {
    const middle = Math.round((tooLittle + enough) / 2 / step) * step;
    if (await succeeds(middle)) enough = middle;
    else tooLittle = middle;
  }
  return enough;
}
