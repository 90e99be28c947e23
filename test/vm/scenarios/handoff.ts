/** Loading and handing over, and what is refused: the same on every kernel. */
import { expect } from "bun:test";
import { initrd, type Scene, scene, unique, vmlinuz } from "../lib/aegis.ts";
import type { Guest } from "../lib/guest.ts";
import { isAboutMusl } from "../lib/host.ts";
import { text } from "../lib/initramfs.ts";
import type { KernelName } from "../lib/kernels.ts";
import { bootAsPredicted, loadAsPredicted, predict } from "../lib/prediction.ts";
import { vmSuite } from "../lib/suite.ts";
import {
  expectRefusal,
  expectRefusedLoad,
  limit,
  loaded,
  loadOf,
  loadsLeft,
  wordsOf,
} from "./refusal.ts";

export interface HandoffOptions {
  /** A kernel that hands over to itself. */
  readonly name: KernelName;
  /** MiB of the guest. */
  readonly memory: number;
  /** The longest command line, in characters. */
  readonly longest: number;
  /** Its signature check is built in: without it lockdown has no effect on kexec_file_load(2). */
  readonly checksSignatures: boolean;
}

export function handoffScenario(options: HandoffOptions): void {
  const { name, memory, longest } = options;
  const mark = crypto.randomUUID();
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({
      first: name,
      entries: [
        text("/boot/notes.txt", "not a kernel\n".repeat(200)),
        { type: "file", path: "/boot/empty", data: new Uint8Array() },
        { type: "directory", path: "/boot/folder" },
      ],
      nextEntries: [text("/etc/mark", mark)],
      guest: { memory },
    });
    return made;
  };
  const line = (word: string) => `${given().console} ${word} quoted="a b" last`;

  vmSuite(`${name} in ${memory} MB`, { needs: [name], start: () => given().start() }, (test) => {
    test("the runtime's doors are closed on this architecture", async (guest) => {
      const doors = "BUN_BE_BUN=1 BUN_OPTIONS=--help BUN_JSC_noSuchOption=1 JSC_SIGNAL_FOR_GC=0";
      expect(await guest.check(`${doors} aegis-kexec --version`)).toMatch(/^aegis-kexec \d/);
    });

    test("the runtime needs /proc, and /dev/null only where a standard descriptor is closed", async (guest) => {
      const without = (folder: string, command: string) =>
        `mkdir -p /tmp/no; mount --bind /tmp/no ${folder}; aegis-kexec ${command}; said=$?; umount ${folder}; exit $said`;
      // SIGABRT, as docs/initramfs.md says; with musl it starts.
      const { exit, stdout } = await guest.run(without("/proc", "--version"));
      expect(exit).toBe(isAboutMusl ? 0 : 134);
      expect(stdout === "").toBe(!isAboutMusl);
      expect((await guest.run(without("/dev", "--version <&-"))).exit).toBe(134);
      expect(await guest.check(without("/dev", "--version"))).toMatch(/^aegis-kexec \d/);
    });

    test("load, then unload, leaves nothing loaded", async (guest) => {
      const words = `${vmlinuz} --initrd ${initrd} --cmdline x`;
      expect((await loadAsPredicted(guest, words)).exit).toBe(0);
      expect(await loaded(guest)).toBe("1\n");
      expect(await guest.check("aegis-kexec status")).toContain("kernel            yes");
      await guest.check("aegis-kexec unload");
      expect(await loaded(guest)).toBe("0\n");
      const again = `aegis-kexec load ${vmlinuz} --reuse-cmdline --append 'a "b c"' --dry-run --json`;
      expect(JSON.parse(await guest.check(again))).toMatchObject({
        loaded: false,
        cmdline: `${guest.announcement.cmdline} a "b c"`,
      });
      expect(await loaded(guest)).toBe("0\n");
      await expectRefusal(guest, {
        command: "aegis-kexec exec",
        exit: 11,
        code: "nothing-loaded",
        says: /no kernel is loaded/,
      });
    });

    test("bad input is refused before the kernel is asked", async (guest) => {
      await guest.check(`head -c 2000000 ${vmlinuz} >/boot/truncated; ln -s empty /boot/link`);
      await guest.check(`mkfifo /boot/fifo; [ ! -e ${limit} ] || echo 60 >${limit}`);
      const left = await loadsLeft(guest);
      const bad: readonly (readonly [string, string, number, string, RegExp])[] = [
        ["/boot/missing", initrd, 4, "file-not-found", /missing: no such file/],
        [vmlinuz, "/boot/missing", 4, "file-not-found", /initramfs \/boot\/missing: no such file/],
        ["/boot/folder", initrd, 4, "file-not-found", /nothing in it that can be booted/],
        [vmlinuz, "/boot/folder", 4, "not-a-regular-file", /directory/],
        ["/boot/fifo", initrd, 4, "not-a-regular-file", /FIFO/],
        ["/dev/null", initrd, 4, "not-a-regular-file", /character device/],
        ["/boot/empty", initrd, 4, "file-empty", /empty/],
        [vmlinuz, "/boot/link", 4, "file-empty", /empty/],
        ["/boot/notes.txt", initrd, 8, "not-a-kernel", /not a kernel image/],
        ["/boot/truncated", initrd, 8, "kernel-truncated", /cut short/],
      ];
      for (const [image, archive, exit, code, says] of bad) {
        await expectRefusedLoad(guest, { words: wordsOf("x", image, archive), exit, code, says });
      }
      await expectRefusedLoad(guest, {
        words: `${wordsOf("x")} --crash`,
        exit: 9,
        code: "no-crash-memory",
        says: /no memory is reserved for a crash kernel/,
      });
      await expectRefusal(guest, {
        command: `aegis-kexec boot ${vmlinuz} --initrrd ${initrd}`,
        exit: 2,
        code: "usage",
        says: /did you mean --initrd\?/,
      });
      expect(await loadsLeft(guest)).toBe(left);
      expect(await loaded(guest)).toBe("0\n");
    });

    test(`a command line of ${longest} characters loads, and one more is refused before the call`, async (guest) => {
      const prediction = await predict(guest, wordsOf("x".repeat(longest)));
      const { exit, stderr } = await guest.run(`${loadOf("x".repeat(longest))} --verbose`);
      prediction.holds(exit);
      expect({ exit, stderr }).toEqual({
        exit: 0,
        stderr: expect.stringMatching(
          /^aegis-kexec: giving the kernel \d{7,} bytes of image and \d{6,} bytes of initramfs/,
        ),
      });
      // Linux 6.7 has KEXEC_FILE_DEBUG; before it the load is made without.
      const account = /^aegis-kexec: kernel: kexec_file: .*nr_segments/m;
      if (/^6\.1\./.test(await guest.check("uname -r"))) expect(stderr).not.toMatch(account);
      else expect(stderr).toMatch(account);
      expect(await loaded(guest)).toBe("1\n");
      const left = await loadsLeft(guest);
      await expectRefusedLoad(guest, {
        words: wordsOf("x".repeat(longest + 1)),
        exit: 4,
        code: "cmdline-too-long",
        says: new RegExp(`${longest + 1} bytes.*takes at most ${longest}`),
      });
      expect(await loadsLeft(guest)).toBe(left);
      await guest.check("aegis-kexec unload");
    });

    test("a failed load leaves what was loaded, and boot does not hand over", async (guest) => {
      await guest.check(loadOf("earlier"));
      const failures = [
        [8, "not-a-kernel", "/boot/notes.txt", initrd],
        [4, "file-not-found", vmlinuz, "/boot/missing"],
        // The kernel itself refuses these: they are open for writing.
        [10, "file-busy", vmlinuz, "/tmp/busy"],
        [10, "file-busy", "/tmp/busy-kernel", initrd],
      ] as const;
      await guest.check(`cp ${initrd} /tmp/busy; cp ${vmlinuz} /tmp/busy-kernel`);
      for (const command of ["load", "boot"]) {
        for (const [exit, code, image, archive] of failures) {
          await expectRefusal(guest, {
            command: `exec 8>>/tmp/busy 9>>/tmp/busy-kernel; aegis-kexec ${command} ${image} --initrd ${archive} --cmdline x`,
            exit,
            code,
            says: code === "file-busy" ? /open for writing/ : /cannot (start|open)/,
          });
          expect(await loaded(guest)).toBe("1\n");
        }
      }
      expect(guest.announcement.token).toBe("first");
    });

    test("a process without CAP_SYS_BOOT may do nothing, and boot does not hand over", async (guest) => {
      for (const words of [`load ${vmlinuz}`, `boot ${vmlinuz}`, "exec", "unload"]) {
        await expectRefusal(guest, {
          // The shell function lets --json be added behind the command.
          command: `as_nobody() { su nobody -s /bin/sh -c "$*"; }; as_nobody aegis-kexec ${words}`,
          exit: 7,
          code: "no-capability",
          says: /^aegis-kexec: cannot [^\n]*: this process does not have CAP_SYS_BOOT\n/,
        });
      }
      expect(await guest.check("su nobody -s /bin/sh -c 'aegis-kexec status'")).toContain(
        "CAP_SYS_BOOT",
      );
      expect(await loaded(guest)).toBe("1\n");
      await guest.check("aegis-kexec unload");
    });

    test("two loads at once end well or say busy", async (guest) => {
      const one = (name: string) =>
        `(${loadOf("x")} >/tmp/${name} 2>&1; echo $? >/tmp/${name}.exit) &`;
      await guest.check(`${one("a")} ${one("b")} wait`);
      const said = await Promise.all(
        ["a", "b"].map((name) => guest.check(`cat /tmp/${name}.exit /tmp/${name}`)),
      );
      const busy = said.filter((text) => text.startsWith("10\n"));
      expect(said.filter((text) => text.startsWith("0\n"))).toHaveLength(2 - busy.length);
      expect(busy.length).toBeLessThan(2);
      for (const text of busy) expect(text).toContain("another kexec operation is going on");
      expect(await loaded(guest)).toBe("1\n");
      await guest.check("aegis-kexec unload");
    });

    test("load, then exec, reaches the next kernel with this command line, whatever was refused between", async (guest) => {
      const cmdline = line(unique());
      await guest.check(`aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline '${cmdline}'`);
      await refuseByTheMachine(guest, options);
      const up = await guest.handoff("aegis-kexec exec");
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /etc/mark")).toBe(mark);
      await guest.stop();
    });

    test("boot works with a read-only root, no /tmp and no environment", async (guest) => {
      const cmdline = line(unique());
      await guest.check("rm -rf /tmp /root; mount -o remount,ro /; ! touch /x 2>/dev/null");
      const up = await bootAsPredicted(guest, wordsOf(cmdline), {
        program: "env -i /sbin/aegis-kexec",
      });
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /etc/mark")).toBe(mark);
      expect(await guest.check("cat /proc/cmdline")).toBe(`${cmdline}\n`);
      await guest.stop();
    });
  });
}

/** What cannot be taken back until a reboot: lockdown, the load limit, the switch. */
async function refuseByTheMachine(
  guest: Guest,
  { checksSignatures }: HandoffOptions,
): Promise<void> {
  await guest.check("echo integrity >/sys/kernel/security/lockdown");
  if (checksSignatures) {
    await expectRefusedLoad(guest, {
      words: wordsOf("x"),
      exit: 7,
      code: "lockdown",
      says: /locked down \(integrity\)[\s\S]*kexec of unsigned images is restricted[\s\S]*hint: /,
    });
  }
  if ((await loadsLeft(guest)) !== undefined) {
    await guest.check(`echo 0 >${limit}`);
    await expectRefusedLoad(guest, {
      words: wordsOf("x"),
      exit: 7,
      code: "load-limit-reached",
      says: /kexec_load_limit_reboot is used up/,
    });
  }
  await guest.check("echo 1 >/proc/sys/kernel/kexec_load_disabled");
  const off = { exit: 7, code: "kexec-disabled", says: /kexec_load_disabled is 1/ };
  await expectRefusedLoad(guest, { words: wordsOf("x"), ...off });
  for (const command of [`aegis-kexec boot ${vmlinuz}`, "aegis-kexec unload"]) {
    await expectRefusal(guest, { command, ...off });
  }
  expect(await loaded(guest)).toBe("1\n");
}
