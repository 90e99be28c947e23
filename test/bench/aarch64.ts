/**
 * What verifying costs where the processor has instructions for SHA-256, as QEMU's aarch64 model
 * does and its x86_64 model does not. Dry runs: the call is not measured, and kexec-tools neither.
 */
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { type Guest, startGuest } from "../vm/lib/guest.ts";
import { type GuestEntry, guestInitramfs } from "../vm/lib/initramfs.ts";
import { kernel } from "../vm/lib/kernels.ts";
import { fetchPackages, unpackedPackage } from "../vm/lib/packages.ts";
import type { Program } from "../vm/lib/programs.ts";
import { random, signWithMinisign, writeManifest } from "./files.ts";
import { emptyProgram } from "./programs.ts";
import { type Figure, figure } from "./results.ts";
import type { Scene } from "./scene.ts";

export interface AarchCost {
  readonly title: string;
  readonly program: string;
  /** Guest instructions from start to end, once warm. */
  readonly instructions: Figure;
}

const runs = 4;

export async function measureAarch64(
  scene: Scene,
  report: (line: string) => void,
): Promise<AarchCost[]> {
  report("aarch64: booting");
  const { path: kernelPath } = kernel("shared-aarch64");
  const { initrd, folder, parts } = scene.files;
  const manifest = join(folder, "aarch64.json");
  writeManifest(manifest, "aarch64", { name: "vmlinuz", path: kernelPath }, initrd);
  const kernelSignature = join(folder, "kernel-aarch64.minisig");
  const host = (path: string, source: string): GuestEntry => ({ type: "host-file", path, source });
  const minisign = await minisignProgram(report);
  await using guest = await startGuest({
    kernel: kernel("shared-aarch64"),
    initramfs: guestInitramfs({
      arch: "aarch64",
      token: "aarch64",
      programs: [
        { path: "/sbin/aegis-kexec", source: await ensureBuilt("linux-arm64") },
        { path: "/bench/empty", source: await emptyProgram("linux-arm64") },
        ...minisign,
      ],
      entries: [
        host("/boot/vmlinuz", kernelPath),
        host("/boot/vmlinuz.minisig", await signWithMinisign(folder, kernelPath, kernelSignature)),
        host("/boot/boot.json", manifest),
        host(
          "/boot/boot.json.minisig",
          await signWithMinisign(folder, manifest, `${manifest}.minisig`),
        ),
        host("/boot/initrd.img", initrd),
        host("/boot/initrd.img.minisig", `${initrd}.minisig`),
        ...parts.map((source, index) => host(`/boot/part-${index + 1}.img`, source)),
        host("/etc/org.pub", scene.files.minisignKey),
        { type: "file", path: "/root/key", data: random(32, 99), mode: 0o400 },
      ],
    }),
    memory: 2048,
    icount: "shift=0,sleep=off",
    cmdline: "quiet rootfstype=ramfs printk.time=1",
    bootTimeout: 300,
  });
  await guest.check("mount -t tmpfs run /run");
  const load = (words: string) => `aegis-kexec load ${words} --dry-run`;
  const joined = parts.map((_, index) => `--initrd /boot/part-${index + 1}.img`).join(" ");
  const verify = "minisign -V -q -p /etc/org.pub -m";
  const works: readonly (readonly [title: string, program: string, command: string])[] = [
    ["start", "empty Bun program", "/bench/empty"],
    [
      "an initramfs of 60 MiB",
      "aegis-kexec",
      load("/boot/vmlinuz --initrd /boot/initrd.img --cmdline x"),
    ],
    ["three archives joined", "aegis-kexec", load(`/boot/vmlinuz ${joined} --cmdline x`)],
    ...(minisign.length === 0
      ? []
      : ([
          [
            "both files verified",
            "minisign",
            `${verify} /boot/vmlinuz && ${verify} /boot/initrd.img`,
          ],
          [
            "verified, and a secret's archive appended",
            "minisign + cat",
            `${verify} /boot/vmlinuz && ${verify} /boot/initrd.img && cat /boot/initrd.img /root/key >/run/joined.img && rm /run/joined.img`,
          ],
        ] as const)),
    ["a generation verified", "aegis-kexec", load("/boot/boot.json --trust /etc/org.pub")],
    [
      "verified, and a secret appended",
      "aegis-kexec",
      load("/boot/boot.json --trust /etc/org.pub --secret /root/key:/run/disk.key"),
    ],
  ];
  const costs: AarchCost[] = [];
  for (const [title, program, command] of works) {
    const all: number[] = [];
    for (let run = 0; run < runs; run++) all.push(await instructionsOf(guest, command));
    costs.push({ title, program, instructions: figure(all.slice(1)) });
  }
  return costs;
}

/** By the kernel's own clock, which under `-icount shift=0` counts instructions as nanoseconds. */
async function instructionsOf(guest: Guest, command: string): Promise<number> {
  const log = await guest.check(
    [
      "echo bench-begin >/dev/kmsg",
      `{ ${command}; } >/tmp/out 2>&1 || { cat /tmp/out >&2; exit 1; }`,
      "echo bench-end >/dev/kmsg",
      "dmesg | grep bench- | tail -n 2",
    ].join("\n"),
    { timeout: 600 },
  );
  const [begin, end] = [...log.matchAll(/^\[\s*(\d+)\.(\d{6})\] bench-(?:begin|end)$/gm)].map(
    ([, seconds, microseconds]) => Number(seconds) * 1e9 + Number(microseconds) * 1e3,
  );
  if (begin === undefined || end === undefined) throw new Error(`no marks in the log: ${log}`);
  return end - begin;
}

/** Debian's, for this architecture. @returns none where it cannot be had */
async function minisignProgram(report: (line: string) => void): Promise<readonly Program[]> {
  const problems = await fetchPackages(["minisign:arm64", "libsodium23:arm64"], report);
  const folder = unpackedPackage("minisign:arm64");
  if (folder === undefined || problems.size > 0) return [];
  const source = join(folder, "usr/bin/minisign");
  return [{ path: "/usr/bin/minisign", source, libraries: ["libsodium23:arm64"] }];
}
