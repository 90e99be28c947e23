/** What is refused once `--lock` was given, and by a kernel that cannot load files at all. */
import { expect } from "bun:test";
import { scene } from "./lib/aegis.ts";
import { vmSuite } from "./lib/suite.ts";
import { expectRefusal, loaded, loadOf } from "./scenarios/refusal.ts";

vmSuite(
  "a lock on debian-6.12",
  { needs: ["debian-6.12"], start: () => scene({ first: "debian-6.12" }).start() },
  (test) => {
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
