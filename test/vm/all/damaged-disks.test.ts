/** Damaged file systems: a named error and the next SOURCE, and never a hang or an oops. */
import { expect } from "bun:test";
import { seeded } from "../../unit/fuzz.ts";
import { binaryFor } from "../lib/aegis.ts";
import { startGuest } from "../lib/guest.ts";
import { guestInitramfs } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { diskModules } from "../lib/module-tree.ts";
import { disk, emptyDisk, fileSystems, fillDisks, generation, systems } from "../lib/stores.ts";
import { type Need, vmTest } from "../lib/suite.ts";

const full = "debian-6.12-full";
const next = "shared-x86_64";
const rounds = 30;
/** Where the superblock is. */
const places = { ext4: 1024, xfs: 0, btrfs: 65_536, vfat: 0, exfat: 0 } as const;
/** What is put back after each round. */
const head = 2 << 20;

vmTest(
  `${rounds} damages of each file system end in its error and the next SOURCE`,
  {
    needs: [full, next, ...fileSystems.map((type): Need => `tool:${systems[type].make[0]}`)],
    timeout: 1800,
  },
  async () => {
    const rng = seeded(5);
    const images = fileSystems.map((type) => [type, emptyDisk(type)] as const);
    const folder = generation({ generation: 7, name: next, token: "damaged" });
    await fillDisks(images, { "7": folder });
    await using guest = await startGuest({
      kernel: kernel(full),
      initramfs: guestInitramfs({
        arch: "x86_64",
        token: "damage",
        modules: { kernel: kernel(full), names: diskModules },
        programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
        entries: [{ type: "host-file", path: "/vmlinuz", source: kernel(next).path }],
      }),
      memory: 1024,
      extraQemuArgs: images.flatMap(([, image]) => disk("virtio", image)),
    });
    const answers = new Map<string, number>();
    for (const [index, [type]] of images.entries()) {
      const device = `/dev/vd${"abcde"[index]}`;
      await guest.check(`dd if=${device} of=/head bs=1M count=${head >> 20} 2>/dev/null`);
      for (let round = 0; round < rounds; round++) {
        const writes = Array.from({ length: 1 + rng.below(4) }, () => {
          // Half of them where the superblock is, the others where its tables may be.
          const at = rng.below(2) === 0 ? places[type] + rng.below(512) : rng.below(head);
          const byte = rng.below(256).toString(8).padStart(3, "0");
          return `printf '\\${byte}' | dd of=${device} bs=1 seek=${at} conv=notrunc 2>/dev/null`;
        });
        const { exit, stdout, stderr, timedOut } = await guest.run(
          [
            ...writes,
            // Some file systems read past the cache of the device.
            "sync",
            `aegis-kexec load ${device}:/generations /vmlinuz --append x --wait 0 --dry-run --json`,
          ].join("\n"),
          { timeout: 120 },
        );
        const seen = { type, round, exit, timedOut, said: exit === 0 ? "" : stdout + stderr };
        expect(seen).toEqual({ type, round, exit: 0, timedOut: false, said: "" });
        const [, why = "it loads"] = / is passed over: (cannot .*)/.exec(stderr) ?? [];
        const known = why.replace(/\d+/g, "N").slice(0, 90);
        answers.set(`${type}: ${known}`, (answers.get(`${type}: ${known}`) ?? 0) + 1);
        const isNext = JSON.parse(stdout).kernel.path === "/vmlinuz";
        expect({ type, round, isNext }).toEqual({ type, round, isNext: why !== "it loads" });
        await guest.check(`dd if=/head of=${device} bs=1M conv=notrunc 2>/dev/null; sync`);
      }
    }
    expect(answers.size).toBeGreaterThan(fileSystems.length);
    expect(await guest.check("dmesg | grep -c 'Oops\\|BUG:' || true")).toBe("0\n");
  },
);
