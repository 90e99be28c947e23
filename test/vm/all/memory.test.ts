/** What an initramfs unpacks to, against guests of several sizes: what is said before, and what becomes of it. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { handsOverIn } from "../../bench/least-memory.ts";
import type { Program } from "../../runner/tools.ts";
import { binaryFor } from "../lib/aegis.ts";
import { type Guest, startGuest } from "../lib/guest.ts";
import { temporaryPath } from "../lib/host.ts";
import { guestInitramfs } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { listOf, loadAsPredicted, memberOf } from "../lib/prediction.ts";
import { vmTest } from "../lib/suite.ts";

const name = "shared-x86_64";
const mib = 1 << 20;

/** So much of it is noise, which does not pack; the rest packs to nothing. */
function ballast(size: number, noise: number): Uint8Array {
  const bytes = new Uint8Array(size);
  let state = 12345;
  for (let at = 0; at < size * noise; at++) {
    state = (Math.imul(state, 1103515245) + 12345) | 0;
    bytes[at] = state >>> 16;
  }
  return bytes;
}

/** The agent's initramfs with so much more in it, packed by a tool. */
function initramfs(
  token: string,
  { files, noise = 0.5, command }: Pick<Case, "files" | "noise" | "command">,
): Uint8Array {
  const own = readFileSync(guestInitramfs({ arch: "x86_64", token }));
  const extra = encodeArchive([
    { type: "file", path: "ballast", data: ballast(files * mib, noise) },
  ]);
  const packed = Bun.spawnSync([...command], { stdin: Buffer.from(extra) });
  if (!packed.success) throw new Error(String(packed.stderr));
  return new Uint8Array(Buffer.concat([own, packed.stdout]));
}

async function guestOf(
  memory: number,
  archive: Uint8Array,
  { cmdline = "", packed = false } = {},
): Promise<Guest> {
  const initramfs = guestInitramfs({
    arch: "x86_64",
    token: "first",
    programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
    entries: [
      { type: "host-file", path: "/boot/vmlinuz", source: kernel(name).path },
      { type: "file", path: "/boot/initrd", data: archive },
    ],
  });
  if (!packed) return startGuest({ kernel: kernel(name), memory, cmdline, initramfs });
  const smaller = temporaryPath("packed.zst");
  const made = Bun.spawnSync([...zstd, initramfs, "-o", smaller]);
  if (!made.success) throw new Error(String(made.stderr));
  return startGuest({ kernel: kernel(name), memory, cmdline, initramfs: smaller });
}

const zstd = ["zstd", "-q", "-1"] as const;
const xz = ["xz", "-q", "-0", "--check=crc32"] as const;
const words = "no_timer_check console=ttyS0 panic=-1";

interface Case {
  readonly memory: number;
  /** MiB of files in the next initramfs. */
  readonly files: number;
  /** The part of them that does not pack; half of them by default. */
  readonly noise?: number;
  readonly command: readonly [Program, ...string[]];
  readonly cmdline?: string;
  readonly says: "fits" | "warned" | "refused";
}

const cases: readonly Case[] = [
  { memory: 448, files: 60, command: zstd, says: "fits" },
  { memory: 448, files: 130, command: zstd, cmdline: "mem=192M root=x", says: "warned" },
  { memory: 448, files: 130, command: xz, cmdline: "mem=160M root=x", says: "refused" },
  { memory: 1024, files: 150, command: zstd, says: "fits" },
  { memory: 1024, files: 1010, noise: 0, command: zstd, says: "warned" },
  { memory: 1024, files: 1200, noise: 0, command: xz, says: "refused" },
  { memory: 4096, files: 300, command: zstd, says: "fits" },
];

for (const one of cases) {
  const { memory, files, command, cmdline = "root=x", says } = one;
  const title = `${files} MiB in ${memory} MiB by ${command[0]}, ${cmdline}: ${says}`;
  vmTest(title, { needs: [name, `tool:${command[0]}`], timeout: 480 }, async () => {
    const token = randomUUID();
    await using guest = await guestOf(memory, initramfs(token, one));
    const line = `/boot/vmlinuz --initrd /boot/initrd --cmdline '${words} ${cmdline}'`;
    const { exit, result, inspection } = await loadAsPredicted(guest, line);
    const told = JSON.stringify([result, inspection]);
    if (says === "refused") {
      expect(exit).toBe(9);
      expect(memberOf(result, "error")["message"]).toMatch(
        cmdline.startsWith("mem=") ? /cannot be unpacked in .* mem=160M/ : /cannot be unpacked in /,
      );
      return;
    }
    expect(exit).toBe(0);
    expect(told.includes("may run out of memory")).toBe(says === "warned");
    const up = await guest
      .handoff("aegis-kexec exec --force", { timeout: 200 })
      .catch((error: unknown) => String(error));
    if (says === "fits") {
      expect(up).toMatchObject({ token });
      const size = await guest.check("wc -c </ballast");
      expect(Number(size)).toBe(files * mib);
    } else {
      // It ran out: what the warning was for.
      expect(String(up)).toMatch(/panic|out of memory|Initramfs unpacking failed|QEMU ended/i);
    }
  });
}

vmTest(
  "an initramfs of 60 MiB is handed over to in 410 MiB of memory",
  { needs: ["debian-6.12", "tool:zstd"] },
  async () => {
    const binary = await binaryFor("x86_64");
    expect(await handsOverIn(410, binary)).toBe(true);
    // That it can fail at all
    expect(await handsOverIn(300, binary)).toBe(false);
  },
);

/** As reported of a machine of 4 GiB whose kernel has handover on: it got "Address not available" for 440 MB. */
const report = 440 * mib;

for (const { cmdline, loads } of [
  // Of the kernel's own choice, without CONFIG_NUMA: some six times what it had taken by then.
  { cmdline: "kho=on", loads: true },
  // What the same kernel chooses in this machine with CONFIG_NUMA, as distributions have it: 232 MiB at most.
  { cmdline: "kho=on kho_scratch=220M,156M,232M", loads: false },
  // The words that the refusal names.
  { cmdline: "kho=on kho_scratch=16M,640M,256M", loads: true },
  { cmdline: "kho=off", loads: true },
]) {
  const title = `440 MiB in 4 GiB with ${cmdline}: ${loads ? "loaded" : "EADDRNOTAVAIL, as predicted, with the sizes"}`;
  vmTest(title, { needs: ["kho-x86_64", "tool:zstd"], timeout: 480 }, async () => {
    // What was taken early counts this kernel's own initramfs: one that is packed, as people have it.
    await using guest = await guestOf(4096, new Uint8Array(4), { cmdline, packed: true });
    await guest.check("mount -t debugfs d /sys/kernel/debug || true");
    await guest.check(`head -c ${report} /dev/zero >/tmp/large`, { timeout: 120 });
    const words = "/boot/vmlinuz --initrd /tmp/large --cmdline 'kho=on root=x'";
    const { exit, code, result, inspection } = await loadAsPredicted(guest, words);
    const status = JSON.parse(await guest.check("aegis-kexec status --json"));
    const { enabled, scratch } = memberOf(status, "handover");
    expect(enabled).toBe(cmdline !== "kho=off");
    if (loads) {
      expect(exit).toBe(0);
      if (enabled === true) expect(Number(scratch)).toBeGreaterThan(report);
      return;
    }
    expect(scratch).toBe(232 * mib);
    expect([exit, code]).toEqual([9, "no-room"]);
    const error = memberOf(result, "error");
    expect(error).toMatchObject({ errno: "EADDRNOTAVAIL", details: { limit: scratch } });
    const said =
      /do not fit the scratch area of kexec handover, whose largest part has \d+\.\d MiB/;
    expect(error["message"]).toMatch(said);
    expect(error["hint"]).toContain("kho_scratch=16M,640M,256M");
    const [reason] = listOf(memberOf(inspection, "verdict"), "reasons");
    expect(`${String(reason?.["message"])} ${String(reason?.["why"])}`).toMatch(said);
  });
}
