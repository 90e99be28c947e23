/** A store whose power was cut while something was fetched into it, counted down and blessed: recorded, and judged. */
import { expect } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { signerOf } from "../../unit/trust/signer.ts";
import { binaryFor } from "./aegis.ts";
import { startGuest } from "./guest.ts";
import { temporaryPath } from "./host.ts";
import { type GuestEntry, guestInitramfs, text } from "./initramfs.ts";
import { kernel } from "./kernels.ts";
import { diskModules } from "./module-tree.ts";
import { type CutDisks, cutDisks, readLog, recordedDisk } from "./power-cuts.ts";
import { emptyDisk, type FileSystem, fillDisks, generation, generationFiles } from "./stores.ts";

const first = "debian-6.12-full";
const next = "shared-x86_64";
const trust = "--trust /org.pub";

async function machine(entries: readonly GuestEntry[], disks: readonly string[]) {
  const full = kernel(first);
  const key = signerOf("22".repeat(32)).minisignKey();
  return startGuest({
    kernel: full,
    initramfs: guestInitramfs({
      arch: full.arch,
      token: "cuts",
      modules: { kernel: full, names: [...diskModules, "loop"] },
      programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
      entries: [text("/org.pub", key), ...entries],
    }),
    memory: 1024,
    extraQemuArgs: disks,
  });
}

interface Recorded {
  readonly type: FileSystem;
  /** The disk before. */
  readonly base: string;
  /** Its writes. */
  readonly log: string;
}

/** Records a fetch that also removes a generation, a count and a blessing, on each file system. */
async function recordStores(types: readonly FileSystem[]): Promise<readonly Recorded[]> {
  const made = (number: number) => generation({ generation: number, name: next, token: "cut" });
  const bases = types.map((type) => [type, emptyDisk(type)] as const);
  await fillDisks(bases, { "40": made(40), "41": made(41) });
  const folder = made(42);
  const files = generationFiles.map(
    (file): GuestEntry => ({
      ...{ type: "host-file", path: `/42/${file}`, source: join(folder, file) },
    }),
  );
  const recorded = bases.map(([type, base]) => {
    const [image, log] = [temporaryPath("recorded.img"), temporaryPath("writes.log")];
    copyFileSync(base, image);
    writeFileSync(log, "");
    return { type, base, log, image };
  });
  const disks = recorded.flatMap(({ image, log }, index) => recordedDisk(image, log, index));
  await using guest = await machine(files, disks);
  for (const type of types) {
    const store = `LABEL=${type.toUpperCase()}:/generations`;
    const fetched = await guest.check(
      `aegis-kexec fetch /42/boot.json ${store} --keep 2 ${trust} --json`,
      { timeout: 120 },
    );
    expect(JSON.parse(fetched)).toMatchObject({ stored: true, removed: ["40"] });
    const loaded = await guest.check(`aegis-kexec load ${store} ${trust} --json`, { timeout: 120 });
    const [, place = ""] = /aegis_kexec\.from=(\S+)/.exec(String(JSON.parse(loaded).cmdline)) ?? [];
    expect(place).toMatch(/^UUID=[0-9A-Za-z-]+:\/generations\/42$/);
    const blessed = await guest.check(
      `aegis-kexec unload --quiet && aegis-kexec bless ${place} --json`,
      { timeout: 120 },
    );
    expect(JSON.parse(blessed)).toMatchObject({ was: "42+2-1" });
  }
  // Closed in order, so that the logs are whole.
  await guest.qmp("quit").catch(() => undefined);
  await guest.waitExit();
  return recorded;
}

interface CutStore {
  readonly type: FileSystem;
  readonly disks: CutDisks;
}

/** @returns of each file system what was seen, by the names that the store had */
async function judgeCuts(stores: readonly CutStore[]): Promise<readonly Map<string, number>[]> {
  const drives = stores.flatMap(({ disks }) => [
    ...["-drive", `file=${disks.path},if=virtio,format=raw,snapshot=on`],
  ]);
  await using guest = await machine([], drives);
  await guest.check("mkdir -p /mnt");
  const all: Map<string, number>[] = [];
  for (const [index, { type, disks }] of stores.entries()) {
    const seen = new Map<string, number>();
    for (let point = 0; point < disks.count; point++) {
      // As a preboot finds it, with all that it does; then as it is once it is mounted.
      const { stdout, stderr, exit } = await guest.run(
        [
          `losetup -o ${point * disks.size} /dev/loop0 /dev/vd${"abc"[index]} || exit 9`,
          `aegis-kexec load /dev/loop0:/generations ${trust} --wait 0 --json || exit 8`,
          "aegis-kexec unload --quiet || exit 7",
          `mount -t ${type} /dev/loop0 /mnt || exit 6`,
          `echo; aegis-kexec inspect /mnt/generations ${trust} --json || exit 5`,
          "ls /mnt/generations | tr '\\n' ' ' >&2",
          "umount /mnt && losetup -d /dev/loop0 || exit 4",
        ].join("\n"),
        { timeout: 120 },
      );
      const said = exit === 0 ? "" : stdout + stderr;
      expect({ type, point, exit, said }).toEqual({ type, point, exit: 0, said: "" });
      const { entries } = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
      const problems = entries.map((entry: { problem: string | null }) => entry.problem);
      expect({ type, point, problems }).toEqual({
        type,
        point,
        problems: problems.map(() => null),
      });
      const names = stderr.trim().split("\n").at(-1) ?? "";
      seen.set(names, (seen.get(names) ?? 0) + 1);
    }
    all.push(seen);
  }
  expect(await guest.check("dmesg | grep -c 'Oops\\|BUG:' || true")).toBe("0\n");
  return all;
}

/** Records, cuts at `points` of each, and judges all of them in one guest. */
export async function expectToSurviveCuts(
  types: readonly FileSystem[],
  points: number,
): Promise<void> {
  const recorded = await recordStores(types);
  for (const { log } of recorded) {
    expect(readLog(log).filter(({ isFlush }) => isFlush).length).toBeGreaterThan(5);
  }
  const stores = recorded.map(({ type, base, log }, index) => ({
    type,
    disks: cutDisks(base, log, points, 21 + index),
  }));
  for (const seen of await judgeCuts(stores)) {
    // The cuts were before, between and after.
    expect(seen.size).toBeGreaterThan(1);
  }
}
