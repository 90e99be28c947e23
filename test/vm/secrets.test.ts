/** A secret on its way: where it arrives, and where no copy of it is left. */
import { expect } from "bun:test";
import { initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { copiesIn, makeSecret, ownersOf } from "./lib/memory-search.ts";
import { loadAsPredicted } from "./lib/prediction.ts";
import { kexecTools } from "./lib/programs.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";

const MEMORY = 768;

interface Way {
  readonly name: string;
  /** Words for the first kernel. */
  readonly first?: string;
  /** Loads and says what it takes to hand over. */
  readonly commands: readonly string[];
  readonly handover: string;
  readonly carries: boolean;
}

const line = "no_timer_check console=ttyS0 quiet panic=-1";
const plainLoad = `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline '${line}'`;
const ways = {
  alone: {
    name: "the source exists and is not passed on",
    commands: [plainLoad],
    handover: "aegis-kexec exec",
    carries: false,
  },
  ours: {
    name: "aegis-kexec --secret",
    commands: [`${plainLoad} --secret /keys/etc/key:/etc/key`],
    handover: "aegis-kexec exec",
    carries: true,
  },
  uncleared: {
    name: "aegis-kexec --secret, without init_on_free",
    first: "init_on_free=0",
    commands: [`${plainLoad} --secret /keys/etc/key:/etc/key`],
    handover: "aegis-kexec exec",
    carries: true,
  },
  input: {
    name: "aegis-kexec --secret from standard input, the source then deleted",
    commands: [`cat /keys/etc/key | ${plainLoad} --secret -:/etc/key`, "rm /keys/etc/key"],
    handover: "aegis-kexec exec",
    carries: true,
  },
  theirs: {
    name: "cat and kexec-tools",
    commands: [
      "cd /keys && find etc | cpio -o -H newc >/tmp/key.cpio",
      `cat ${initrd} /tmp/key.cpio >/tmp/combined`,
      `kexec -s -l ${vmlinuz} --initrd=/tmp/combined --command-line='${line}'`,
    ],
    handover: "kexec -e",
    carries: true,
  },
} as const satisfies Record<string, Way>;

/** Loads that come to nothing, each with what it must end with. */
const failures = [
  [`${plainLoad} --secret /keys/etc/key:/etc/key --dry-run`, 0],
  // The kernel refuses a file that is open for writing: the call itself fails.
  [`exec 9>>${vmlinuz}; ${plainLoad} --secret /keys/etc/key:/etc/key`, 10],
  // Read, and then another secret is bad.
  [`${plainLoad} --secret /keys/etc/key:/etc/key --secret fd:8:/b 8</dev/null`, 4],
  // It is loaded, and then there is no room for the log, or for the result.
  [`${plainLoad} --secret /keys/etc/key:/etc/key --log /dev/full`, 12],
  [`${plainLoad} --secret /keys/etc/key:/etc/key >/dev/full`, 12],
  // A signal while it waits for the second one.
  [
    `mkfifo /tmp/p; exec 9<>/tmp/p; ${plainLoad} --secret /keys/etc/key:/etc/key --secret /tmp/p:/b 9<&- & sleep 1; kill -TERM $!; wait $!`,
    143,
  ],
] as const;

const counted = new Map<Way, { loaded: number; after: number }>();

for (const way of Object.values<Way>(ways)) {
  vmTest(`copies in memory: ${way.name}`, { needs: ["debian-6.12"] }, async () => {
    const given = scene({
      first: "debian-6.12",
      initramfs: { programs: [kexecTools()] },
      // What inspect leaves behind must not be counted
      guest: { memory: MEMORY, cmdline: way.first ?? "init_on_free=1" },
    });
    const guest = await given.start();
    const secret = await makeSecret(guest);
    const made = await copiesIn(guest, secret, MEMORY);
    // Without init_on_free the pipe that it came through may have left another one.
    if (way.first === undefined) expect(made).toHaveLength(1);
    if (way === ways.ours) {
      for (const [command, exit] of failures) {
        const ended = await guest.run(command);
        expect(`${command}: ${ended.exit}`).toBe(`${command}: ${exit}`);
        expect(await guest.check("aegis-kexec unload")).toBe(
          "no kernel was loaded: nothing to do\n",
        );
        const left = await copiesIn(guest, secret, MEMORY);
        expect(`${command}: ${left.length}${await ownersOf(guest, left.slice(1))}`).toBe(
          `${command}: 1`,
        );
      }
    }
    for (const command of way.commands) await guest.check(command);
    const loaded = await copiesIn(guest, secret, MEMORY);
    const whose = await ownersOf(guest, loaded);
    const up = await guest.handoff(way.handover);
    expect(up.token).toBe(given.token);
    if (way.carries) {
      expect(await guest.check("stat -c %s /etc/key; cat /etc/key >/dev/null; rm /etc/key")).toBe(
        "32\n",
      );
    }
    const after = await copiesIn(guest, secret, MEMORY);
    counted.set(way, { loaded: loaded.length, after: after.length });
    console.log(
      `${way.name}: ${loaded.length} when loaded${whose}, ` +
        `${after.length} once the next kernel deleted it${await ownersOf(guest, after)}`,
    );
  });
}

vmTest(
  "the source and what the kernel copies is all that is left",
  { needs: ["debian-6.12"] },
  async () => {
    const countOf = (way: Way) => {
      const count = counted.get(way);
      if (count === undefined) throw new Error("the copies were not counted");
      return count;
    };
    const { alone, ours, input, theirs } = ways;
    // Loaded: the source's page, and the segment that waits for the jump. Nothing of this process.
    expect(countOf(ours).loaded).toBeLessThanOrEqual(countOf(alone).loaded + 1);
    expect(countOf(ours).after).toBeLessThanOrEqual(countOf(alone).after + 2);
    // What is left after the jump is what the next kernel did not reuse: of theirs, by chance, little.
    expect(countOf(ours).loaded).toBeLessThan(countOf(theirs).loaded);
    // A source that is gone leaves the segment alone, and what the next kernel makes of it.
    expect(countOf(input).loaded).toBe(1);
    expect(countOf(input).after).toBeLessThanOrEqual(2);
  },
);

vmSuite(
  "secrets on debian-6.12",
  { needs: ["debian-6.12"], start: () => scene({ first: "debian-6.12" }).start() },
  (test) => {
    const words = `${vmlinuz} --initrd ${initrd} --cmdline x`;
    const load = `aegis-kexec load ${words}`;
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

      await guest.check(
        "{ printf BZh; head -c 60000000 /dev/urandom; } >/tmp/large; printf key >/tmp/key",
      );
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
      const { exit, result, stderr } = await loadAsPredicted(
        guest,
        `${words} --initrd /big/zero --secret /tmp/key:/a`,
      );
      expect(exit).toBe(9);
      expect(result["error"]).toMatchObject({ code: "out-of-memory", exit: 9 });
      expect(stderr).toMatch(/takes [\d.]+ MiB of memory, and [\d.]+ MiB are available/);
      await guest.check("umount /big");
      expect(await loaded(guest)).toBe("0\n");
    });
  },
);

vmTest(
  "memory does not grow with the archives",
  { needs: ["shared-x86_64"], timeout: 300 },
  async () => {
    const guest = await scene({ first: "shared-x86_64", guest: { memory: 3200 } }).start();
    /** Most anonymous memory (KiB) seen while archives of `size` MB are joined. */
    const peak = async (size: number) => {
      await guest.check(
        // Holes: what is read of them takes no memory, and what is made of them does.
        `mkdir -p /big; mount -t tmpfs big /big; for i in 1 2; do truncate -s ${size / 2}000000 /big/$i; done; printf key >/big/key`,
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
