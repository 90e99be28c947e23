/** The least memory of a machine in which a handoff succeeds. */
import { randomUUID } from "node:crypto";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { startGuest } from "../vm/lib/guest.ts";
import { temporaryFolder, temporaryPath } from "../vm/lib/host.ts";
import { guestInitramfs, type HostFile } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { kexecTools, type Program, programFiles } from "../vm/lib/programs.ts";
import { nextInitramfs } from "./next.ts";
import type { Scene } from "./scene.ts";

export interface LeastMemory {
  readonly program: "aegis-kexec" | "aegis-kexec out of a squashfs" | "kexec-tools";
  /** MiB of the machine: it succeeds with this, and not with `step` less. */
  readonly megabytes: number;
  /** MiB of the smallest machine that brings up the first initramfs itself, nothing loaded. */
  readonly boots: number;
}

interface Contender {
  readonly name: LeastMemory["program"];
  readonly programs: readonly Program[];
  readonly files?: readonly HostFile[];
  readonly modules?: readonly string[];
  readonly command: string;
}

/** The binary in an image, as contrib/initramfs-tools/hook makes it; undefined without mksquashfs. */
async function squashfs(binary: string): Promise<string | undefined> {
  if (Bun.which("mksquashfs") === null) return undefined;
  const folder = temporaryFolder("image");
  copyFileSync(binary, join(folder, "aegis-kexec"));
  const path = temporaryPath("image.squashfs");
  const options = "-comp zstd -b 128K -all-root -noappend -no-xattrs -quiet -no-progress";
  const command = ["mksquashfs", folder, path, ...options.split(" ")];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(" ")}`);
  return path;
}

const boot = "boot /boot/vmlinuz --initrd /boot/initrd.img --cmdline panic=-1 --force";

/** MiB: how exactly the boundary is found. */
export const step = 2;
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
  const program: Program = { path: "/sbin/aegis-kexec", source: scene.binary };
  const image = await squashfs(scene.binary);
  const contenders: readonly Contender[] = [
    { name: "aegis-kexec", programs: [program], command: `aegis-kexec ${boot}` },
    ...(image === undefined
      ? []
      : [
          {
            name: "aegis-kexec out of a squashfs",
            programs: [],
            files: [
              { type: "host-file", path: "/image", source: image } as const,
              ...programFiles("x86_64", [program]).filter(({ source }) => source !== scene.binary),
            ],
            modules: ["loop", "squashfs"],
            command: `mkdir /mounted && mount -t squashfs -o loop,ro /image /mounted && /mounted/aegis-kexec ${boot}`,
          } as const,
        ]),
    {
      name: "kexec-tools",
      programs: [kexecTools()],
      command:
        "kexec -s -l /boot/vmlinuz --initrd=/boot/initrd.img --command-line=panic=-1 && kexec -e",
    },
  ];
  const results: LeastMemory[] = [];
  for (const { name, programs, files = [], modules, command } of contenders) {
    const initramfs = await compressedInitramfs({
      programs,
      ...(modules === undefined ? {} : { modules: { kernel: debian, names: modules } }),
      entries: [...files, ...toBoot(next)],
    });
    const attempt = (memory: number, way: string | undefined) =>
      isUpIn(memory, initramfs, token, way);
    const boots = await least((memory) => attempt(memory, undefined));
    const megabytes = await least((memory) => attempt(memory, command), boots);
    report(`least memory: ${name} ${megabytes} MiB, its initramfs alone ${boots} MiB`);
    results.push({ program: name, megabytes, boots });
  }
  return results;
}

/** Whether a guest of so many MiB comes up, and after `way` the next one with this token. */
async function isUpIn(
  memory: number,
  initramfs: string,
  token: string,
  way: string | undefined,
): Promise<boolean> {
  try {
    await using guest = await startGuest({
      kernel: kernel("debian-6.12"),
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
}

/** Whether this binary hands over with an initramfs of 60 MiB in so many MiB of memory. */
export async function handsOverIn(memory: number, binary: string): Promise<boolean> {
  const token = randomUUID();
  const initramfs = await compressedInitramfs({
    programs: [{ path: "/sbin/aegis-kexec", source: binary }],
    entries: toBoot(nextInitramfs(token, initrdSize)),
  });
  return isUpIn(memory, initramfs, token, `aegis-kexec ${boot}`);
}

function toBoot(next: string): readonly HostFile[] {
  const kernelFile = kernel("debian-6.12").path;
  return [
    { type: "host-file", path: "/boot/vmlinuz", source: kernelFile },
    { type: "host-file", path: "/boot/initrd.img", source: next },
  ];
}

/** Compressed, as people's are: what it is unpacked from takes memory as well. */
async function compressedInitramfs(
  options: Omit<Parameters<typeof guestInitramfs>[0], "arch">,
): Promise<string> {
  const plain = guestInitramfs({ ...options, arch: "x86_64", token: "first" });
  const packed = temporaryPath("initramfs.cpio.zst");
  // As initramfs-tools does: scripts/mkinitramfs of Debian 12
  const command = ["zstd", "-q", "-9", "-T0", "-o", packed, plain];
  const child = Bun.spawn(command, { stdin: "ignore", stdout: "ignore", stderr: "inherit" });
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(" ")}`);
  return packed;
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
