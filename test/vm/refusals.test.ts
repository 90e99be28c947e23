/**
 * A crash kernel, and what is refused to whom: without root, in namespaces, once `--lock` was given,
 * and by a kernel without the call.
 */
import { expect } from "bun:test";
import { errorOf, initrd, type Scene, scene, unique, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { loadAsPredicted } from "./lib/prediction.ts";
import { vmSuite } from "./lib/suite.ts";
import { expectRefusal, expectRefusedLoad, loaded, loadOf, wordsOf } from "./scenarios/refusal.ts";

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
      const { result } = await loadAsPredicted(guest, `${wordsOf(crashLine())} --crash`);
      expect(result).toMatchObject({ target: "crash", loaded: true });
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["0\n", "1\n"]);
      await guest.check(loadOf("x"));
      await guest.check("aegis-kexec unload --crash");
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["1\n", "0\n"]);
      await guest.check(`${load}; aegis-kexec unload`);
      expect([await loaded(guest), await crashLoaded(guest)]).toEqual(["0\n", "1\n"]);
    });

    test("inspect, manifest and status without root do their work, and say what they cannot see", async (guest) => {
      const asNobody = async (words: string) => {
        const command = `su nobody -s /bin/sh -c 'aegis-kexec ${words}'`;
        return JSON.parse(await guest.check(command));
      };
      const files = `${vmlinuz} --initrd ${initrd} --cmdline x`;
      const inspection = await asNobody(`inspect ${files} --json`);
      expect(inspection).toMatchObject({
        image: { format: "bzImage", changedAfterSigning: false, trustedBy: null },
        verdict: { takes: true, wouldExit: 0 },
        unknown: { "image.trustedBy": expect.stringContaining("is not known") },
      });
      expect(inspection.verdict.notes.join()).toContain("could not load it (exit 7)");
      const manifest = await asNobody(`manifest ${files}`);
      expect(manifest).toEqual(JSON.parse(await guest.check(`aegis-kexec manifest ${files}`)));
      await guest.check("echo private >/boot/private; chmod 600 /boot/private");
      const hidden = await guest.run(
        "su nobody -s /bin/sh -c 'aegis-kexec inspect /boot/private --json'",
      );
      expect(errorOf(hidden.stdout)).toMatchObject({ exit: 4, code: "file-unreadable" });
      const { keyrings, unknown, privilege } = await asNobody("status --json");
      expect(privilege.capSysBoot).toBe(false);
      for (const name of ["builtin", "secondary", "machine", "platform", "blacklist"]) {
        expect(keyrings[name]).toBeNull();
        expect(unknown[`keyrings.${name}`]).toContain("root");
      }
    });

    test("namespaces: what is denied there, and what status says", async (guest) => {
      const pid =
        'inside() { unshare -p -f -m sh -c "mount -t proc p /proc; $*; exit \\$?"; }; inside';
      const user = "inside() { unshare -U -r $*; }; inside";
      await guest.check(loadOf("x"));
      const refusals = [
        [
          `${pid} aegis-kexec exec --no-sync`,
          "pid-namespace",
          /initial pid namespace[\s\S]*on the host/,
        ],
        [`${user} ${loadOf("x")}`, "no-capability", /user namespace[\s\S]*on the host/],
      ] as const;
      for (const [command, code, says] of refusals) {
        await expectRefusal(guest, { command, exit: 7, code, says });
      }
      expect(guest.announcement.token).toBe("first");
      const inPid = JSON.parse(await guest.check(`${pid} aegis-kexec status --json`));
      expect(inPid.privilege).toEqual({
        capSysBoot: true,
        initialUserNamespace: true,
        initialPidNamespace: false,
        container: "unnamed",
      });
      const inUser = JSON.parse(await guest.check(`${user} aegis-kexec status --json`));
      expect(inUser.privilege).toMatchObject({ initialUserNamespace: false, container: "unnamed" });
      await guest.check("aegis-kexec unload");
    });

    test("by --lock sets kexec_load_disabled, and nothing replaces what was loaded", async (guest) => {
      const report = await guest.check(`${loadOf("x")} --lock --json`);
      expect(JSON.parse(report)).toMatchObject({ loaded: true, locked: true });
      expect(await guest.check("cat /proc/sys/kernel/kexec_load_disabled")).toBe("1\n");
      const off = { exit: 7, code: "kexec-disabled", says: /kexec_load_disabled is 1/ };
      await expectRefusedLoad(guest, { words: wordsOf("x"), ...off });
      await expectRefusal(guest, { command: "aegis-kexec unload", ...off });
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
      const missing = { exit: 3, code: "no-kexec-file", says: /without CONFIG_KEXEC_FILE/ };
      await expectRefusedLoad(guest, { words: wordsOf("x"), ...missing });
      for (const command of ["aegis-kexec boot /boot/vmlinuz", "aegis-kexec unload"]) {
        await expectRefusal(guest, { command, ...missing });
      }
    });
  },
);
