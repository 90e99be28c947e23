/** What is refused: the exit code, the cause that is named, and that nothing changed. */
import { expect } from "bun:test";
import { errorOf, initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { text } from "./lib/initramfs.ts";
import { loadAsPredicted } from "./lib/prediction.ts";
import { vmSuite } from "./lib/suite.ts";

interface Refusal {
  readonly command: string;
  readonly exit: number;
  readonly code: string;
  readonly says: RegExp;
}

/** Runs the command for people and for programs: both must name the same cause. */
async function expectRefusal(guest: Guest, { command, exit, code, says }: Refusal): Promise<void> {
  const people = await guest.run(command);
  const shown = `${command}\nexit ${people.exit}\n${people.stdout}${people.stderr}`;
  expect(shown).toStartWith(`${command}\nexit ${exit}\naegis-kexec: `);
  expect(people.stderr).toMatch(says);
  const words = /^aegis-kexec load (.*)$/s.exec(command)?.[1];
  if (words !== undefined) {
    expect(await loadAsPredicted(guest, words)).toMatchObject({ exit, code });
    return;
  }
  const program = await guest.run(`${command} --json`);
  expect(program.exit).toBe(exit);
  expect(errorOf(program.stdout)).toMatchObject({ exit, code });
}

const load = (kernel: string, archive: string, cmdline = "x") =>
  `aegis-kexec load ${kernel} --initrd ${archive} --cmdline '${cmdline}'`;
const loaded = (guest: Guest) => guest.check("cat /sys/kernel/kexec_loaded");

const given = () =>
  scene({
    first: "debian-6.12",
    entries: [
      text("/boot/notes.txt", "not a kernel\n".repeat(200)),
      { type: "file", path: "/boot/empty", data: new Uint8Array() },
      { type: "directory", path: "/boot/folder" },
    ],
  });

vmSuite(
  "refusals on debian-6.12",
  { needs: ["debian-6.12"], start: () => given().start() },
  (test) => {
    test("bad input is refused before the kernel is asked", async (guest) => {
      await guest.check(`head -c 4000000 ${vmlinuz} >/boot/truncated; ln -s empty /boot/link`);
      await guest.check("mkfifo /boot/fifo; echo 20 >/proc/sys/kernel/kexec_load_limit_reboot");
      const bad: readonly (readonly [string, string, number, string, RegExp])[] = [
        ["/boot/missing", initrd, 4, "file-not-found", /missing: no such file/],
        [vmlinuz, "/boot/missing", 4, "file-not-found", /initramfs \/boot\/missing: no such file/],
        ["/boot/folder", initrd, 4, "file-not-found", /no boot entr|directory/],
        [vmlinuz, "/boot/folder", 4, "not-a-regular-file", /directory/],
        ["/boot/fifo", initrd, 4, "not-a-regular-file", /FIFO/],
        ["/dev/null", initrd, 4, "not-a-regular-file", /character device/],
        ["/boot/empty", initrd, 4, "file-empty", /empty/],
        [vmlinuz, "/boot/empty", 4, "file-empty", /empty/],
        [vmlinuz, "/boot/link", 4, "file-empty", /empty/],
        ["/boot/notes.txt", initrd, 8, "not-a-kernel", /not a kernel image/],
        ["/boot/truncated", initrd, 8, "kernel-truncated", /cut short/],
      ];
      for (const [kernel, archive, exit, code, says] of bad) {
        await expectRefusal(guest, { command: load(kernel, archive), exit, code, says });
      }
      expect(await guest.check("cat /proc/sys/kernel/kexec_load_limit_reboot")).toBe("20\n");
      expect(await loaded(guest)).toBe("0\n");
    });

    test("a command line of 2016 characters loads, and 2017 are refused before the call", async (guest) => {
      await guest.check(load(vmlinuz, initrd, "x".repeat(2016)));
      expect(await loaded(guest)).toBe("1\n");
      const limit = await guest.check("cat /proc/sys/kernel/kexec_load_limit_reboot");
      await expectRefusal(guest, {
        command: load(vmlinuz, initrd, "x".repeat(2017)),
        exit: 4,
        code: "cmdline-too-long",
        says: /2017 bytes.*takes 2016/,
      });
      expect(await guest.check("cat /proc/sys/kernel/kexec_load_limit_reboot")).toBe(limit);
      await guest.check("aegis-kexec unload");
    });

    test("exec with nothing loaded, and a misspelt option", async (guest) => {
      await expectRefusal(guest, {
        command: "aegis-kexec exec",
        exit: 11,
        code: "nothing-loaded",
        says: /no kernel is loaded/,
      });
      await expectRefusal(guest, {
        command: `aegis-kexec boot ${vmlinuz} --initrrd ${initrd}`,
        exit: 2,
        code: "usage",
        says: /--initrd/,
      });
    });

    test("a file that is open for writing", async (guest) => {
      for (const file of [vmlinuz, initrd]) {
        await expectRefusal(guest, {
          command: `exec 9>>${file}; ${load(vmlinuz, initrd)}`,
          exit: 10,
          code: "file-busy",
          says: /open for writing/,
        });
      }
    });

    test("a process without CAP_SYS_BOOT", async (guest) => {
      for (const command of [`aegis-kexec load ${vmlinuz}`, "aegis-kexec unload"]) {
        await expectRefusal(guest, {
          // The shell function lets --json be added behind the command.
          command: `as_nobody() { su nobody -s /bin/sh -c "$*"; }; as_nobody ${command}`,
          exit: 7,
          code: "no-capability",
          says: /CAP_SYS_BOOT/,
        });
      }
      expect(await guest.check("su nobody -s /bin/sh -c 'aegis-kexec status'")).toContain(
        "CAP_SYS_BOOT",
      );
    });

    test("an exhausted load limit", async (guest) => {
      await guest.check("echo 1 >/proc/sys/kernel/kexec_load_limit_reboot");
      await guest.check(load(vmlinuz, initrd));
      await expectRefusal(guest, {
        command: load(vmlinuz, initrd),
        exit: 7,
        code: "load-limit-reached",
        says: /kexec_load_limit_reboot is used up/,
      });
      expect(await loaded(guest)).toBe("1\n");
    });

    test("kexec_load_disabled, set by --lock", async (guest) => {
      await guest.stop();
      const fresh = await given().start();
      await using _ = fresh;
      const report = await fresh.check(`${load(vmlinuz, initrd)} --lock --json`);
      expect(JSON.parse(report)).toMatchObject({ loaded: true, locked: true });
      expect(await fresh.check("cat /proc/sys/kernel/kexec_load_disabled")).toBe("1\n");
      for (const command of [load(vmlinuz, initrd), "aegis-kexec unload"]) {
        await expectRefusal(fresh, {
          command,
          exit: 7,
          code: "kexec-disabled",
          says: /kexec_load_disabled is 1/,
        });
      }
      expect(await loaded(fresh)).toBe("1\n");
    });
  },
);

vmSuite(
  "lockdown=integrity on debian-6.12",
  {
    needs: ["debian-6.12"],
    start: () => scene({ first: "debian-6.12", guest: { cmdline: "lockdown=integrity" } }).start(),
  },
  (test) => {
    test("refuses a kernel that this machine cannot verify, with the kernel's words", async (guest) => {
      await expectRefusal(guest, {
        command: load(vmlinuz, initrd),
        exit: 7,
        code: "lockdown",
        says: /locked down \(integrity\)[\s\S]*kexec of unsigned images is restricted[\s\S]*hint: /,
      });
      expect(await loaded(guest)).toBe("0\n");
    });
  },
);

vmSuite(
  "a kernel without CONFIG_KEXEC_FILE (debian-arm64)",
  {
    needs: ["debian-arm64"],
    start: () => scene({ first: "debian-arm64" }).start(),
  },
  (test) => {
    test("is named as the cause", async (guest) => {
      await expectRefusal(guest, {
        command: load(vmlinuz, initrd),
        exit: 3,
        code: "no-kexec-file",
        says: /without CONFIG_KEXEC_FILE/,
      });
      await expectRefusal(guest, {
        command: "aegis-kexec unload",
        exit: 3,
        code: "no-kexec-file",
        says: /without CONFIG_KEXEC_FILE/,
      });
    });
  },
);
