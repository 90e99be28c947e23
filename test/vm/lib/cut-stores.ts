/** A store whose power was cut while something was fetched into it, counted down and blessed: recorded, and judged. */
import { expect } from "bun:test";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../../build/reuse.ts";
import { signerOf } from "../../unit/trust/signer.ts";
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
      programs: [{ path: "/sbin/aegis-kexec", source: await ensureBuilt("linux-x64") }],
      entries: [text("/org.pub", key), ...entries],
    }),
    memory: 1024,
    extraQemuArgs: disks,
  });
}

/**
 * Records a fetch that also removes a generation, a count and a blessing.
 * @returns the disk before, and the log of its writes
 */
export async function recordStore(type: FileSystem): Promise<{ base: string; log: string }> {
  const made = (number: number) => generation({ generation: number, name: next, token: "cut" });
  const base = emptyDisk(type);
  await fillDisks([[type, base]], { "40": made(40), "41": made(41) });
  const [image, log] = [temporaryPath("recorded.img"), temporaryPath("writes.log")];
  copyFileSync(base, image);
  writeFileSync(log, "");
  const folder = made(42);
  const files = generationFiles.map(
    (file): GuestEntry => ({
      ...{ type: "host-file", path: `/42/${file}`, source: join(folder, file) },
    }),
  );
  await using guest = await machine(files, recordedDisk(image, log, 0));
  const label = `LABEL=${type.toUpperCase()}`;
  const store = `${label}:/generations`;
  const fetched = await guest.check(
    `aegis-kexec fetch /42/boot.json ${store} --keep 2 ${trust} --json`,
    { timeout: 120 },
  );
  expect(JSON.parse(fetched)).toMatchObject({ stored: true, removed: ["40"] });
  const loaded = await guest.check(`aegis-kexec load ${store} ${trust} --json`, { timeout: 120 });
  const { cmdline } = JSON.parse(loaded);
  const [, place = ""] = /aegis_kexec\.from=(\S+)/.exec(String(cmdline)) ?? [];
  expect(place).toMatch(/^UUID=[0-9A-Za-z-]+:\/generations\/42$/);
  const blessed = await guest.check(
    `aegis-kexec unload --quiet && aegis-kexec bless ${place} --json`,
  );
  expect(JSON.parse(blessed)).toMatchObject({ was: "42+2-1" });
  // Closed in order, so that the log is whole.
  await guest.qmp("quit").catch(() => undefined);
  await guest.waitExit();
  return { base, log };
}

/** @returns what was seen, by the names that the store had */
export async function judgeCuts(
  type: FileSystem,
  { path, size, count }: CutDisks,
): Promise<ReadonlyMap<string, number>> {
  await using guest = await machine(
    [],
    ["-drive", `file=${path},if=virtio,format=raw,snapshot=on`],
  );
  const seen = new Map<string, number>();
  await guest.check("mkdir -p /mnt");
  for (let point = 0; point < count; point++) {
    // As a preboot finds it, with all that it does; then as it is once it is mounted.
    const { stdout, stderr, exit } = await guest.run(
      [
        `losetup -o ${point * size} /dev/loop0 /dev/vda || exit 9`,
        `aegis-kexec load /dev/loop0:/generations ${trust} --wait 0 --json || exit 8`,
        "aegis-kexec unload --quiet || exit 7",
        `mount -t ${type} /dev/loop0 /mnt || exit 6`,
        `echo; aegis-kexec inspect /mnt/generations ${trust} --json || exit 5`,
        "ls /mnt/generations | tr '\\n' ' ' >&2",
        "umount /mnt && losetup -d /dev/loop0 || exit 4",
      ].join("\n"),
      { timeout: 120 },
    );
    const told = { point, exit, said: exit === 0 ? "" : stdout + stderr };
    expect(told).toEqual({ point, exit: 0, said: "" });
    const inspected = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
    const problems = inspected.entries.map((entry: { problem: string | null }) => entry.problem);
    expect({ point, problems }).toEqual({ point, problems: problems.map(() => null) });
    const names = stderr.trim().split("\n").at(-1) ?? "";
    seen.set(names, (seen.get(names) ?? 0) + 1);
  }
  expect(await guest.check("dmesg | grep -c 'Oops\\|BUG:' || true")).toBe("0\n");
  return seen;
}

/** Records, cuts at `points`, and judges all of them. */
export async function expectToSurviveCuts(type: FileSystem, points: number): Promise<void> {
  const { base, log } = await recordStore(type);
  const writes = readLog(log);
  expect(writes.filter(({ isFlush }) => isFlush).length).toBeGreaterThan(5);
  const seen = await judgeCuts(type, cutDisks(base, log, points, 21));
  console.log(type, writes.length, "writes;", Object.fromEntries(seen));
  // The cuts were before, between and after.
  expect(seen.size).toBeGreaterThan(1);
  expect(readFileSync(base).length).toBeGreaterThan(0);
}
