/** What is predicted of the screen, held against screenshots taken after the handover. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { binaryFor } from "../lib/aegis.ts";
import { type Guest, startGuest } from "../lib/guest.ts";
import { temporaryPath } from "../lib/host.ts";
import { type GuestEntry, guestInitramfs } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { moduleFiles } from "../lib/modules.ts";
import { memberOf } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

const name = "debian-6.12-full";
const uefi = {
  code: "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd",
  variables: "/usr/share/OVMF/OVMF_VARS_4M.fd",
};

interface Case {
  /** QEMU's. */
  readonly device: "VGA" | "virtio-vga" | "bochs-display" | "cirrus-vga";
  readonly firmware: "UEFI" | "BIOS";
  /** The device's driver runs in the first kernel. */
  readonly driven?: true;
  /** It is in the next initramfs. */
  readonly archived?: true;
  readonly verdict: "continues" | "blank-until-driver" | "blank";
}

const drivers = {
  VGA: "bochs",
  "virtio-vga": "virtio-gpu",
  "bochs-display": "bochs",
  "cirrus-vga": "cirrus",
} as const;

const cases: readonly Case[] = [
  { device: "VGA", firmware: "BIOS", verdict: "continues" },
  { device: "VGA", firmware: "UEFI", verdict: "continues" },
  { device: "VGA", firmware: "UEFI", driven: true, verdict: "blank" },
  { device: "VGA", firmware: "BIOS", driven: true, archived: true, verdict: "blank-until-driver" },
  { device: "virtio-vga", firmware: "BIOS", verdict: "continues" },
  { device: "virtio-vga", firmware: "UEFI", verdict: "continues" },
  { device: "virtio-vga", firmware: "UEFI", driven: true, verdict: "continues" },
  { device: "virtio-vga", firmware: "BIOS", driven: true, verdict: "continues" },
  { device: "bochs-display", firmware: "UEFI", verdict: "continues" },
  { device: "bochs-display", firmware: "BIOS", archived: true, verdict: "blank-until-driver" },
  { device: "cirrus-vga", firmware: "BIOS", verdict: "continues" },
  { device: "cirrus-vga", firmware: "BIOS", driven: true, verdict: "blank" },
];

/** The share of the screen that is light. */
async function lightness(guest: Guest): Promise<number> {
  const path = temporaryPath("screen.ppm");
  await guest.monitor(`screendump ${path}`);
  await Bun.sleep(500);
  const bytes = new Uint8Array(readFileSync(path));
  const [header = ""] =
    /^P6\s+\d+\s+\d+\s+\d+\s/.exec(String.fromCharCode(...bytes.slice(0, 64))) ?? [];
  const pixels = bytes.subarray(header.length);
  let light = 0;
  for (let at = 0; at + 2 < pixels.length; at += 3) {
    if ((pixels[at] ?? 0) + (pixels[at + 1] ?? 0) + (pixels[at + 2] ?? 0) > 3 * 100) light++;
  }
  return light / Math.max(1, pixels.length / 3);
}

/** Whether what is written to the terminal is seen: all of it white, then all of it black. */
async function isSeen(guest: Guest): Promise<boolean> {
  await guest.run("printf '\\033[?25l\\033[47m\\033[2J' >/dev/tty0; sleep 2");
  const white = await lightness(guest);
  await guest.run("printf '\\033[40m\\033[2J' >/dev/tty0; sleep 2");
  const black = await lightness(guest);
  return white > 0.5 && black < 0.1;
}

for (const { device, firmware, driven, archived, verdict } of cases) {
  const driver = drivers[device];
  const how = `${driven ? `, ${driver} runs` : ""}${archived ? `, ${driver} in the initramfs` : ""}`;
  const needs = [name, `file:${uefi.code}`, `file:${uefi.variables}`] as const;
  vmTest(`${device} by ${firmware}${how}: ${verdict}`, { needs, timeout: 300 }, async () => {
    const debian = kernel(name);
    const modules = moduleFiles(debian, [driver]);
    const token = randomUUID();
    const next = guestInitramfs({
      arch: "x86_64",
      token,
      entries: archived ? modules : [],
    });
    const entries: GuestEntry[] = [
      { type: "host-file", path: "/boot/vmlinuz", source: debian.path },
      {
        type: "host-file",
        path: `/boot/config-${debian.release}`,
        source: join(dirname(debian.path), `config-${debian.release}`),
      },
      { type: "host-file", path: "/boot/initrd", source: next },
    ];
    await using guest = await startGuest({
      kernel: debian,
      memory: 1536,
      extraQemuArgs: ["-device", device],
      ...(firmware === "UEFI" ? { firmware: uefi } : {}),
      initramfs: guestInitramfs({
        arch: "x86_64",
        token: "first",
        programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
        entries,
        ...(driven ? { modules: { kernel: debian, names: [driver] } } : {}),
      }),
    });
    await holds(guest, { token, verdict, modules, console: "no_timer_check console=ttyS0" });
  });
}

interface Expected {
  readonly token: string;
  readonly verdict: Case["verdict"];
  /** Of the device's driver, those in the next initramfs. */
  readonly modules: readonly GuestEntry[];
  readonly console: string;
}

/** Holds the prediction against what is seen after the jump. */
async function holds(guest: Guest, { token, verdict, modules, console }: Expected): Promise<void> {
  const words = `/boot/vmlinuz --initrd /boot/initrd --cmdline '${console} quiet panic=-1'`;
  const inspection: unknown = JSON.parse(await guest.check(`aegis-kexec inspect ${words} --json`));
  const status = await guest.check("aegis-kexec status | grep -E 'screen|consoles'");
  const predicted = memberOf(memberOf(Object(inspection), "next"), "screen");
  expect({ status, ...predicted }).toMatchObject({ verdict });
  // Who reads the messages on that screen is warned there.
  const shown = await guest.check(
    `printf '\\033[2J' >/dev/tty1; aegis-kexec load ${words} --dry-run >/dev/null 2>/dev/tty1; tr -d '\\000' </dev/vcs1`,
  );
  expect(shown.includes("this screen stays blank after the jump")).toBe(verdict === "blank");
  const up = await guest.handoff(`aegis-kexec boot ${words}`);
  expect(up.token).toBe(token);
  expect(await isSeen(guest)).toBe(verdict === "continues");
  if (verdict !== "blank-until-driver") return;
  for (const { path } of modules) await guest.run(`insmod ${path}`);
  await Bun.sleep(2000);
  expect(await isSeen(guest)).toBe(true);
}

const arm64 = "aarch64-full";

/** There is no text mode, and firmware's frame buffer is forgotten once it was read: only a driver shows anything. */
for (const { archived, verdict } of [
  { archived: false, verdict: "blank" },
  { archived: true, verdict: "blank-until-driver" },
] as const) {
  const how = archived ? ", and is in the initramfs" : "";
  vmTest(
    `virtio-gpu-pci on arm64, its driver runs${how}: ${verdict}`,
    { needs: [arm64] },
    async () => {
      const built = kernel(arm64);
      const modules = moduleFiles(built, ["virtio-gpu"]);
      const token = randomUUID();
      const next = guestInitramfs({ arch: "aarch64", token, entries: archived ? modules : [] });
      await using guest = await startGuest({
        kernel: built,
        memory: 2048,
        extraQemuArgs: ["-device", "virtio-gpu-pci"],
        initramfs: guestInitramfs({
          arch: "aarch64",
          token: "first",
          programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("aarch64") }],
          modules: { kernel: built, names: ["virtio-gpu"] },
          entries: [
            { type: "host-file", path: "/boot/vmlinuz", source: built.path },
            { type: "host-file", path: "/boot/initrd", source: next },
          ],
        }),
      });
      await holds(guest, { token, verdict, modules, console: "console=ttyAMA0" });
    },
  );
}
