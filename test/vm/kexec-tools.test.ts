/** kexec-tools and this program called as `kexec`, side by side. */
import { expect } from "bun:test";
import { initrd, scene, unique, vmlinuz } from "./lib/aegis.ts";
import { listOf, loadAsPredicted, memberOf } from "./lib/prediction.ts";
import { vmTest } from "./lib/suite.ts";
import {
  besideKexecTools,
  compareAll,
  entries,
  prepare,
  programs,
  theirPackage,
  tools,
} from "./scenarios/kexec-compare.ts";
import { lockedRows, rows } from "./scenarios/kexec-table.ts";

besideKexecTools("kexec-tools and kexec side by side", (test) => {
  test("the table", async (guest) => {
    expect(Number(await guest.check("cat /sys/kernel/kexec_crash_size"))).toBeGreaterThan(0);
    await prepare(guest);
    await compareAll(guest, rows);
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
    expect((await guest.run(`rm -f /etc/aegis-kexec/policy.json; ${state}`)).stdout).toBe("0\n0\n");
  });

  test("with kexec_load_disabled, what is loaded stays", async (guest) => {
    await guest.check(`/theirs/kexec -s -l ${vmlinuz}`);
    await guest.check("echo 1 >/proc/sys/kernel/kexec_load_disabled");
    await compareAll(guest, lockedRows);
    await guest.stop();
  });
});

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
