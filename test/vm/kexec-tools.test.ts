/** kexec-tools and this program called as `kexec`, side by side. */
import { expect } from "bun:test";
import { initrd, scene, unique, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { type GuestEntry, text } from "./lib/initramfs.ts";
import { unpackedPackage } from "./lib/packages.ts";
import { listOf, loadAsPredicted, memberOf } from "./lib/prediction.ts";
import { kexecTools, newestKexec } from "./lib/programs.ts";
import { vmSuite, vmTest } from "./lib/suite.ts";
import { clients } from "./scenarios/kexec-clients.ts";
import { lockedRows, type Outcome, type Row, rows } from "./scenarios/kexec-table.ts";

const tools = { theirs: "/theirs", newest: "/newest", ours: "/ours" } as const;
type Theirs = "theirs" | "newest";

/** Both programs as `kexec`, each in a folder of its own, and a shutdown that only takes a note. */
const entries: readonly GuestEntry[] = [
  { type: "symlink", path: "/ours/kexec", target: "/sbin/aegis-kexec" },
  text("/sbin/shutdown", '#!/bin/sh\necho "$0 $@" >/tmp/shutdown\n', 0o755),
  text("/boot/notes.txt", "not a kernel\n".repeat(200)),
  { type: "file", path: "/boot/empty", data: new Uint8Array() },
];
const theirPackage = `file:${unpackedPackage("kexec-tools:amd64") ?? "kexec-tools"}` as const;
const programs = () => [kexecTools("/theirs/kexec")];

interface Run extends Outcome {
  readonly said: string;
}

/** Brings the guest into the state before, and runs a line with one of the programs as `kexec`. */
async function run(guest: Guest, tool: string, { line, before }: Row): Promise<Run> {
  const prepare = [
    "/theirs/kexec -s -u; /theirs/kexec -s -p -u; rm -f /tmp/shutdown",
    before === "reboot" || before === "both" ? `/theirs/kexec -s -l ${vmlinuz}` : "",
    before === "crash" || before === "both" ? `/theirs/kexec -s -p ${vmlinuz}` : "",
  ];
  const { exit, stdout, stderr } = await guest.run(
    `{ ${prepare.filter((part) => part !== "").join("\n")}\n} >/dev/null 2>&1
PATH=${tool}:$PATH K=${vmlinuz} I=${initrd}
{ ${line}
} >/tmp/said 2>&1
exit=$?
cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded
cat /tmp/shutdown 2>/dev/null || echo
cat /tmp/said
exit $exit`,
  );
  const [loaded, crashLoaded, shutdown = "", ...said] = stdout.split("\n");
  return {
    exit,
    loaded: loaded === "1",
    crashLoaded: crashLoaded === "1",
    shutdown,
    said: `${said.join("\n")}${stderr}`,
  };
}

/** What is wrong with a row: nothing, or an account of it. */
async function compare(guest: Guest, row: Row, tool: Theirs): Promise<string[]> {
  const theirs = await run(guest, tools[tool], row);
  const ours = await run(guest, tools.ours, row);
  const { says = "" } = row;
  const differs = tool === "newest" && row.newest !== undefined ? row.newest.differs : row.differs;
  const same = outcomeOf(theirs) === outcomeOf(ours);
  const problems = [
    theirs.said.includes(says) || (tool === "newest" && row.newest?.silent === true)
      ? []
      : ["kexec-tools does not say what the row has"],
    ours.said.includes(says) ? [] : ["this program does not say it"],
    same || differs !== undefined ? [] : ["a difference that is not listed"],
    !same || differs === undefined ? [] : ["the listed difference is gone"],
    isLike(theirs, differs?.theirs) ? [] : ["kexec-tools does not do what is listed"],
    isLike(ours, differs?.ours) ? [] : ["this program does not do what is listed"],
  ].flat();
  if (problems.length === 0) return [];
  const told = (run: Run) => `${outcomeOf(run)}\n${run.said.trim().slice(0, 500)}`;
  return [
    `${row.line}: ${problems.join("; ")}\n  kexec-tools: ${told(theirs)}\n  ours: ${told(ours)}`,
  ];
}

async function compareAll(
  guest: Guest,
  table: readonly Row[],
  tool: Theirs = "theirs",
): Promise<void> {
  const problems: string[] = [];
  for (const row of table) problems.push(...(await compare(guest, row, tool)));
  expect(problems.join("\n\n")).toBe("");
}

/** Files that the rows name. */
async function prepare(guest: Guest): Promise<void> {
  await guest.check(
    `cp ${vmlinuz} /boot/busy; head -c 700000 ${vmlinuz} >/boot/truncated; chmod 755 /boot`,
  );
}

function outcomeOf({ exit, loaded, crashLoaded, shutdown }: Outcome): string {
  return JSON.stringify({ exit, loaded, crashLoaded, shutdown });
}

function isLike(outcome: Outcome, expected: Partial<Outcome> = {}): boolean {
  return outcomeOf({ ...outcome, ...expected }) === outcomeOf(outcome);
}

// Debian's kernel has both system calls, and memory for a crash kernel; what it loads is small.
vmSuite(
  "kexec-tools and kexec side by side",
  {
    needs: ["debian-6.1", "shared-x86_64", theirPackage, "package:sid/kexec-tools:amd64"],
    start: () =>
      scene({
        first: "debian-6.1",
        next: "shared-x86_64",
        entries: [...entries, ...newestKexec("/newest/kexec")],
        initramfs: { programs: programs() },
        guest: { memory: 1024, cmdline: "crashkernel=128M" },
      }).start(),
  },
  (test) => {
    test("the table", async (guest) => {
      expect(Number(await guest.check("cat /sys/kernel/kexec_crash_size"))).toBeGreaterThan(0);
      await prepare(guest);
      await compareAll(guest, rows);
    }, 600);

    test("the table beside the newest kexec-tools", async (guest) => {
      expect(await guest.check("/newest/kexec -v")).toStartWith("kexec-tools 2.0.32");
      await prepare(guest);
      await compareAll(guest, rows, "newest");
    }, 600);

    test("the clients", async (guest) => {
      await compareAll(
        guest,
        clients.filter(({ jumps }) => jumps !== true),
        "newest",
      );
    }, 600);

    test("the size of the crash kernel's memory is the same number", async (guest) => {
      const theirs = await guest.check("/theirs/kexec --print-ckr-size");
      expect(await guest.check("/ours/kexec --print-ckr-size")).toBe(theirs);
    });

    test("more than is reserved for a crash kernel is refused as predicted", async (guest) => {
      await guest.check("head -c 136314880 /dev/zero >/tmp/large");
      const words = `${vmlinuz} --initrd /tmp/large --cmdline x --crash`;
      const { exit, code, result, inspection } = await loadAsPredicted(guest, words);
      expect([exit, code]).toEqual([9, "no-room"]);
      expect(memberOf(result, "error")["errno"]).toBe("EADDRNOTAVAIL");
      expect(listOf(memberOf(inspection, "verdict"), "reasons")).toHaveLength(1);
      await guest.check("rm /tmp/large");
    });

    test("the machine's policy applies", async (guest) => {
      await guest.check(
        "mkdir -p /etc/aegis-kexec; rm -f /tmp/shutdown; /theirs/kexec -s -u; /theirs/kexec -s -p -u",
      );
      for (const [policy, says] of [
        ["{", "aegis-kexec: "],
        ['{"trust":["/etc/org.pub"]}', `aegis-kexec: cannot trust ${vmlinuz}: `],
        ['{"trust":["/etc/org.pub"],"minGeneration":7}', `aegis-kexec: cannot trust ${vmlinuz}: `],
        ['{"minGeneration":7}', "policy.json is broken: trust: missing"],
      ] as const) {
        await guest.check(`echo '${policy}' >/etc/aegis-kexec/policy.json`);
        for (const how of ["-l", "-f", "-s -p", ""]) {
          const { exit, stderr } = await guest.run(`/ours/kexec ${how} ${vmlinuz}`);
          expect(`${policy} ${how}: ${exit}`).toBe(`${policy} ${how}: 255`);
          expect(stderr).toContain(says);
        }
      }
      const state = "cat /sys/kernel/kexec_loaded /sys/kernel/kexec_crash_loaded; ls /tmp/shutdown";
      expect((await guest.run(`rm -f /etc/aegis-kexec/policy.json; ${state}`)).stdout).toBe(
        "0\n0\n",
      );
    });

    test("with kexec_load_disabled, what is loaded stays", async (guest) => {
      await guest.check(`/theirs/kexec -s -l ${vmlinuz}`);
      await guest.check("echo 1 >/proc/sys/kernel/kexec_load_disabled");
      await compareAll(guest, lockedRows);
      await guest.stop();
    });
  },
);

/** What the next kernel gets of the words behind `kexec -s`; `here` is the running kernel's line. */
interface Handover {
  readonly name: string;
  readonly words: string;
  readonly cmdline: (here: string) => string;
  /** Where ours is another one, and why. */
  readonly ours?: readonly [cmdline: (here: string) => string, because: string];
}

const mark = unique();
const loaderWords = "BOOT_IMAGE=/vmlinuz initrd=/initrd.img";
const handovers: readonly Handover[] = [
  {
    name: "--append is the whole line",
    words: `-l ${vmlinuz} --initrd=${initrd} --append='${mark} quoted="a b"  last'`,
    cmdline: () => `${mark} quoted="a b"  last`,
  },
  {
    name: "the last --append or --command-line counts",
    words: `-l ${vmlinuz} --initrd=${initrd} --append=first --command-line=${mark}`,
    cmdline: () => mark,
  },
  {
    name: "--reuse-cmdline, with --append behind it",
    words: `-l ${vmlinuz} --initrd=${initrd} --append=${mark} --reuse-cmdline`,
    cmdline: (here) => `${here.replace("BOOT_IMAGE=/vmlinuz ", "")} ${mark}`,
    ours: [
      (here) => `${here.replace(`${loaderWords} `, "")} ${mark}`,
      "the boot loader's initrd= names a file of the running kernel, not of the next one",
    ],
  },
];

for (const [name, folder] of Object.entries({ theirs: tools.theirs, ours: tools.ours })) {
  for (const { words, cmdline, ours, ...handover } of handovers) {
    vmTest(`${name}: ${handover.name}`, { needs: ["shared-x86_64", theirPackage] }, async () => {
      const given = scene({
        first: "shared-x86_64",
        entries,
        initramfs: { programs: programs() },
        guest: { cmdline: `${loaderWords} aegis=1` },
      });
      await using guest = await given.start();
      const here = guest.announcement.cmdline;
      await guest.check(`${folder}/kexec -s ${words}`);
      const up = await guest.handoff(`${folder}/kexec -e`);
      const expected = folder === tools.ours && ours !== undefined ? ours[0](here) : cmdline(here);
      expect(up).toMatchObject({ token: given.token, cmdline: expected });
    });
  }

  vmTest(
    `${name}: -f loads and hands over at once`,
    { needs: ["shared-x86_64", theirPackage] },
    async () => {
      const given = scene({ first: "shared-x86_64", entries, initramfs: { programs: programs() } });
      await using guest = await given.start();
      await guest.check(`${folder}/kexec -s -l ${vmlinuz} --append=stale`);
      // A load that fails is not followed by a jump into what was loaded before.
      const failed = await guest.run(`${folder}/kexec -s -f /boot/notes.txt --initrd=${initrd}`);
      expect(failed.exit).toBe(255);
      const up = await guest.handoff(
        `${folder}/kexec -s -f ${vmlinuz} --initrd=${initrd} --append=${mark}`,
      );
      expect(up).toMatchObject({ token: given.token, cmdline: mark });
    },
  );
}
