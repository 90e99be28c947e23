/** A crash kernel, what is refused once `--lock` was given, and by a kernel without the call. */
import { expect } from "bun:test";
import { type Scene, scene, unique } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { vmSuite } from "./lib/suite.ts";
import { expectRefusal, loaded, loadOf } from "./scenarios/refusal.ts";

const crashLoaded = (guest: Guest) => guest.check("cat /sys/kernel/kexec_crash_loaded");

let made: Scene | undefined;
const given = () => {
  made ??= scene({ first: "debian-6.12", guest: { cmdline: "crashkernel=192M" } });
  return made;
};

const crashWord = unique();
const crashLine = () => `${given().console} ${crashWord}`;

vmSuite(
  "a crash kernel and a lock on debian-6.12",
  { needs: ["debian-6.12"], start: () => given().start() },
  (test) => {
    test("the crash kernel and the other one are loaded and dropped apart", async (guest) => {
      const load = `${loadOf(crashLine())} --crash`;
      expect(JSON.parse(await guest.check(`${load} --json`))).toMatchObject({
        target: "crash",
        loaded: true,
      });
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["0\n", "1\n"]);
      await guest.check(loadOf("x"));
      await guest.check("aegis-kexec unload --crash");
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["1\n", "0\n"]);
      await guest.check(`${load}; aegis-kexec unload`);
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["0\n", "1\n"]);
    });

    test("by --lock sets kexec_load_disabled, and nothing replaces what was loaded", async (guest) => {
      const report = await guest.check(`${loadOf("x")} --lock --json`);
      expect(JSON.parse(report)).toMatchObject({ loaded: true, locked: true });
      expect(await guest.check("cat /proc/sys/kernel/kexec_load_disabled")).toBe("1\n");
      for (const command of [loadOf("x"), "aegis-kexec unload"]) {
        await expectRefusal(guest, {
          command,
          exit: 7,
          code: "kexec-disabled",
          says: /kexec_load_disabled is 1/,
        });
      }
      expect(await loaded(guest)).toBe("1\n");
    });

    test("a panic starts the crash kernel", async (guest) => {
      const up = await guest.handoff("echo 1 >/proc/sys/kernel/sysrq; echo c >/proc/sysrq-trigger");
      expect(up.token).toBe(given().token);
      // The kernel that loads it puts the place of its headers in front.
      expect(up.cmdline).toMatch(/^elfcorehdr=0x[0-9a-f]+ /);
      expect(up.cmdline.replace(/^\S+ /, "")).toBe(crashLine());
      await guest.stop();
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
      for (const command of [loadOf("x"), `aegis-kexec boot /boot/vmlinuz`, "aegis-kexec unload"]) {
        await expectRefusal(guest, {
          command,
          exit: 3,
          code: "no-kexec-file",
          says: /without CONFIG_KEXEC_FILE/,
        });
      }
    });
  },
);
