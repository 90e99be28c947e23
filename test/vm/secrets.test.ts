/** A secret on its way: where it arrives, and where no copy of it is left. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { closeSync, openSync, readSync, rmSync } from "node:fs";
import { errorOf, initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { kexecTools } from "./lib/programs.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const MEMORY = 768;

/** How often `needle` is in the guest's physical memory. */
async function copiesIn(guest: Guest, needle: string): Promise<number> {
  const path = temporaryPath("memory");
  await guest.monitor(`pmemsave 0 ${MEMORY << 20} "${path}"`);
  const file = openSync(path, "r");
  const step = 64 << 20;
  const buffer = Buffer.alloc(step + needle.length);
  let found = 0;
  for (let at = 0; at < MEMORY << 20; at += step) {
    // The last bytes are read again with the next step: a copy that spans both is counted once.
    const got = readSync(file, buffer, 0, step + needle.length - 1, at);
    const bytes = buffer.subarray(0, got);
    for (let hit = bytes.indexOf(needle); hit >= 0; hit = bytes.indexOf(needle, hit + 1)) found++;
  }
  closeSync(file);
  rmSync(path);
  return found;
}

/**
 * A secret of 32 characters that came to be inside of the guest: the serial line, the shell and
 * the archive never had it. The host computes the same.
 */
async function makeSecret(guest: Guest): Promise<string> {
  const seed = randomUUID();
  await guest.check(
    `mkdir -p /keys/k/etc; mount -t ramfs keys /keys; mkdir -p /keys/etc; printf ${seed} | sha256sum | head -c 32 >/keys/etc/key`,
  );
  return new Bun.CryptoHasher("sha256").update(seed).digest("hex").slice(0, 32);
}

interface Way {
  readonly name: string;
  /** Loads and says what it takes to hand over. */
  readonly commands: readonly string[];
  readonly handover: string;
  readonly carries: boolean;
}

const line = "console=ttyS0 quiet panic=-1";
const ways: readonly Way[] = [
  {
    name: "the source exists and is not passed on",
    commands: [`aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline '${line}'`],
    handover: "aegis-kexec exec",
    carries: false,
  },
  {
    name: "aegis-kexec --secret",
    commands: [
      `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline '${line}' --secret /keys/etc/key:/etc/key`,
    ],
    handover: "aegis-kexec exec",
    carries: true,
  },
  {
    name: "cat and kexec-tools",
    commands: [
      "cd /keys && find etc | cpio -o -H newc >/tmp/key.cpio",
      `cat ${initrd} /tmp/key.cpio >/tmp/combined`,
      `kexec -s -l ${vmlinuz} --initrd=/tmp/combined --command-line='${line}'`,
    ],
    handover: "kexec -e",
    carries: true,
  },
];

const counted = new Map<string, { loaded: number; after: number }>();

for (const way of ways) {
  vmTest(`copies in memory: ${way.name}`, { needs: ["debian-6.12"] }, async () => {
    const given = scene({
      first: "debian-6.12",
      initramfs: { programs: [kexecTools()] },
      guest: { memory: MEMORY, cmdline: "init_on_free=1" },
    });
    const guest = await given.start();
    const secret = await makeSecret(guest);
    expect(await copiesIn(guest, secret)).toBe(1);
    for (const command of way.commands) await guest.check(command);
    const loaded = await copiesIn(guest, secret);
    const up = await guest.handoff(way.handover);
    expect(up.token).toBe(given.token);
    if (way.carries) {
      expect(await guest.check("stat -c %s /etc/key; cat /etc/key >/dev/null; rm /etc/key")).toBe(
        "32\n",
      );
    }
    const after = await copiesIn(guest, secret);
    counted.set(way.name, { loaded, after });
    console.log(`${way.name}: ${loaded} when loaded, ${after} once the next kernel deleted it`);
  });
}

vmTest(
  "the source and what the kernel copies is all that is left",
  { needs: ["debian-6.12"] },
  async () => {
    const [alone, ours, theirs] = ways.map(({ name }) => counted.get(name));
    if (alone === undefined || ours === undefined || theirs === undefined) {
      throw new Error("the counts were not taken");
    }
    // Loaded: the source's page, and the segment that waits for the jump. Nothing of this process.
    expect(ours.loaded).toBeLessThanOrEqual(alone.loaded + 1);
    expect(ours.after).toBeLessThanOrEqual(alone.after + 2);
    expect(ours.after).toBeLessThan(theirs.after);
  },
);

vmSuite(
  "secrets on debian-6.12",
  { needs: ["debian-6.12"], start: () => scene({ first: "debian-6.12" }).start() },
  (test) => {
    const load = `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline x`;
    const loaded = (guest: Guest) => guest.check("cat /sys/kernel/kexec_loaded");

    test("come from standard input and from a descriptor", async (guest) => {
      await guest.check(`printf one | ${load} --secret -:/a --secret fd:5:/b 5<<'end'\ntwo\nend`);
      expect(await loaded(guest)).toBe("1\n");
      await guest.check("aegis-kexec unload");
    });

    test("are held in locked memory, by a process that nobody may look into", async (guest) => {
      await guest.check("mkfifo /tmp/pipe; chmod 666 /tmp/pipe");
      const seen = await guest.check(
        `su nobody -s /bin/sh -c "${load} --dry-run --secret /tmp/pipe:/a --json" >/tmp/out 2>&1 & ` +
          `exec 9>/tmp/pipe; printf hidden-value >&9; sleep 1; ` +
          `pid=$(pidof aegis-kexec); grep VmLck /proc/$pid/status; stat -c %U /proc/$pid/maps; ` +
          `grep 'core file' /proc/$pid/limits; tr '\\0' ' ' </proc/$pid/cmdline; exec 9>&-; wait; cat /tmp/out`,
      );
      expect(seen).toMatch(/VmLck:\s+(?!0 kB)\d+ kB/);
      expect(seen).toContain("\nroot\n");
      expect(seen).toMatch(/Max core file size\s+0\s+0/);
      expect(seen).toContain('"loaded":false');
      expect(seen).not.toContain("hidden-value");
    });

    test("a signal while it waits, and one during the load: nothing stays loaded", async (guest) => {
      const waiting = await guest.check(
        `mkfifo /tmp/wait; (${load} --secret /tmp/wait:/a; echo exit $?) >/tmp/out 2>&1 & ` +
          `exec 9>/tmp/wait; sleep 1; kill -TERM $(pidof aegis-kexec); wait; cat /tmp/out`,
      );
      expect(waiting).toContain("exit 143");
      expect(await loaded(guest)).toBe("0\n");

      await guest.check("head -c 60000000 /dev/urandom >/tmp/large; printf key >/tmp/key");
      const during = await guest.check(
        `(${load} --initrd /tmp/large --secret /tmp/key:/a; echo exit $?) >/tmp/out 2>&1 & ` +
          // Its wait channel shows that it is inside of the system call.
          `until grep -q kexec_file_load /proc/$(pidof aegis-kexec)/stack 2>/dev/null; do :; done; ` +
          `kill -TERM $(pidof aegis-kexec); wait; cat /tmp/out`,
        { timeout: 120 },
      );
      expect(during).toContain("exit 143");
      expect(await loaded(guest)).toBe("0\n");
    });

    test("no room: a refusal with the numbers", async (guest) => {
      await guest.check(
        "mkdir /big; mount -t ramfs big /big; head -c 300000000 /dev/zero >/big/zero; printf key >/tmp/key",
      );
      const { exit, stdout, stderr } = await guest.run(
        `${load} --initrd /big/zero --secret /tmp/key:/a --json`,
      );
      expect(exit).toBe(9);
      expect(errorOf(stdout)).toMatchObject({ code: "out-of-memory", exit: 9 });
      expect(`${stdout}${stderr}`).toMatch(
        /takes [\d.]+ MiB of memory, and [\d.]+ MiB are available/,
      );
      await guest.check("umount /big");
      expect(await loaded(guest)).toBe("0\n");
    });
  },
);

vmTest(
  "memory does not grow with the archives",
  { needs: ["shared-x86_64"], timeout: 300 },
  async () => {
    const guest = await scene({ first: "shared-x86_64", guest: { memory: 5000 } }).start();
    /** Most anonymous memory (KiB) seen while archives of `size` MB are joined. */
    const peak = async (size: number) => {
      await guest.check(
        `mkdir -p /big; mount -t ramfs big /big; for i in 1 2; do head -c ${size / 2}000000 /dev/zero >/big/$i; done; printf key >/big/key`,
        { timeout: 120 },
      );
      const out = await guest.check(
        `aegis-kexec load ${vmlinuz} --initrd /big/1 --initrd /big/2 --secret /big/key:/a --dry-run --quiet --cmdline x & ` +
          "most=0; while kill -0 $! 2>/dev/null; do while read -r name value unit; do " +
          '[ "$name" = RssAnon: ] && [ "$value" -gt $most ] && most=$value; done 2>/dev/null </proc/$!/status; sleep 0.05; done; wait $!; echo $? $most; umount /big',
        { timeout: 120 },
      );
      const [exit, most] = out.trim().split(" ").map(Number);
      expect(exit).toBe(0);
      expect(most).toBeGreaterThan(1000);
      return most ?? 0;
    };
    const small = await peak(50);
    const large = await peak(800);
    console.log(`anonymous memory: ${small} KiB at 50 MB, ${large} KiB at 800 MB`);
    expect(Math.abs(large - small)).toBeLessThan(8 * 1024);
  },
);
