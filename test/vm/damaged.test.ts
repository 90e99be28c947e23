/** Files that a full disk or a bad copy left: told before a kernel is loaded that would not come up. */
import { expect } from "bun:test";
import { initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { vmSuite } from "./lib/suite.ts";

const loaded = (guest: Guest) => guest.check("cat /sys/kernel/kexec_loaded");

vmSuite(
  "damaged files on debian-6.12",
  { needs: ["debian-6.12"], start: () => scene({ first: "debian-6.12" }).start() },
  (test) => {
    test("an initramfs that is cut is refused, and as kexec loaded with a warning", async (guest) => {
      await guest.check(
        `head -c -5000 ${initrd} >/tmp/cut; { cat ${initrd}; printf JUNK; } >/tmp/junk; mkdir -p /k; ln -s /sbin/aegis-kexec /k/kexec`,
      );
      for (const file of ["/tmp/cut", "/tmp/junk"]) {
        const own = await guest.run(`aegis-kexec load ${vmlinuz} --initrd ${file} --cmdline x`);
        expect([file, own.exit, own.stderr]).toEqual([file, 4, expect.stringContaining(file)]);
        expect(await loaded(guest)).toBe("0\n");
        const other = await guest.run(`/k/kexec -s -l ${vmlinuz} --initrd=${file} --append=x`);
        expect([file, other.exit]).toEqual([file, 0]);
        expect(other.stderr).toMatch(/warning: \/tmp\/(cut|junk): .* at byte \d+/);
        expect(await loaded(guest)).toBe("1\n");
        await guest.check("aegis-kexec unload");
      }
    });

    test("an image that is not what was signed is told where it is asked for", async (guest) => {
      await guest.check(
        `cp ${vmlinuz} /tmp/changed; printf '\\220\\220\\220\\220\\220\\220\\220\\220' | dd of=/tmp/changed bs=1 seek=4000000 conv=notrunc 2>/dev/null`,
      );
      const says = "/tmp/changed is not what was signed";
      const asked = await guest.run("aegis-kexec load /tmp/changed --check-image --cmdline x");
      expect([asked.exit, asked.stderr]).toEqual([0, expect.stringContaining(says)]);
      const kexec = await guest.run("/k/kexec -s -l /tmp/changed --append=x");
      expect([kexec.exit, kexec.stderr]).toEqual([0, expect.stringContaining(says)]);
      expect(await guest.check("aegis-kexec inspect /tmp/changed --cmdline x --json")).toContain(
        says,
      );
      const good = await guest.run(`aegis-kexec load ${vmlinuz} --check-image --cmdline x`);
      expect([good.exit, good.stderr]).toEqual([0, ""]);
      await guest.check("aegis-kexec unload");
    });
  },
);
