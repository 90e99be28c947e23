/** Loading and handing over, the same on every kernel. */
import { expect } from "bun:test";
import { initrd, type Scene, scene, unique, vmlinuz } from "../lib/aegis.ts";
import { text } from "../lib/initramfs.ts";
import type { KernelName } from "../lib/kernels.ts";
import { loadAsPredicted } from "../lib/prediction.ts";
import { vmSuite } from "../lib/suite.ts";

/** Runs the scenario with a kernel that hands over to itself, in a guest of `memory` MiB. */
export function handoffScenario(name: KernelName, memory: number): void {
  const mark = crypto.randomUUID();
  let made: Scene | undefined;
  const given = () => {
    made ??= scene({
      first: name,
      entries: [text("/boot/notes.txt", "not a kernel\n".repeat(200))],
      nextEntries: [text("/etc/mark", mark)],
      guest: { memory },
    });
    return made;
  };
  const line = (word: string) => `${given().console} ${word} quoted="a b" last`;

  vmSuite(`${name} in ${memory} MB`, { needs: [name], start: () => given().start() }, (test) => {
    test("load, then unload, leaves nothing loaded", async (guest) => {
      const given = `${vmlinuz} --initrd ${initrd} --cmdline x`;
      expect((await loadAsPredicted(guest, given)).exit).toBe(0);
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
      expect(await guest.check("aegis-kexec status")).toContain("kernel            yes");
      await guest.check("aegis-kexec unload");
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
    });

    test("a failed load leaves what was loaded, and boot does not hand over", async (guest) => {
      await guest.check(`aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline earlier`);
      const failures = [
        ["8", "/boot/notes.txt", initrd],
        ["4", vmlinuz, "/boot/missing"],
        // The kernel itself refuses this one: it is open for writing.
        ["10", vmlinuz, "/tmp/busy"],
      ] as const;
      await guest.check(`cp ${initrd} /tmp/busy`);
      for (const command of ["load", "boot"]) {
        for (const [exit, kernel, archive] of failures) {
          const run = `aegis-kexec ${command} ${kernel} --initrd ${archive} --cmdline x`;
          const result = await guest.run(`exec 9>>/tmp/busy; ${run}`);
          expect(`${run}: ${result.exit}\n${result.stderr}`).toStartWith(`${run}: ${exit}\n`);
          expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
        }
      }
      expect(guest.announcement.token).toBe("first");
      await guest.check("aegis-kexec unload");
    });

    test("two loads at once end well or say busy", async (guest) => {
      const load = `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline x`;
      const out = await guest.check(
        `(${load} >/tmp/a 2>&1; echo $? >>/tmp/exits) & (${load} >/tmp/b 2>&1; echo $? >>/tmp/exits) & wait; cat /tmp/exits`,
      );
      const exits = out.trim().split("\n").sort();
      expect([
        ["0", "0"],
        ["0", "10"],
      ]).toContainEqual(exits);
      expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
      await guest.check("aegis-kexec unload");
    });

    test("load, then exec, reaches the next kernel with this command line", async (guest) => {
      const cmdline = line(unique());
      await guest.check(`aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline '${cmdline}'`);
      const up = await guest.handoff("aegis-kexec exec");
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /etc/mark")).toBe(mark);
      await guest.stop();
    });

    test("boot works with a read-only root, no /tmp and no environment", async (guest) => {
      const cmdline = line(unique());
      await guest.check("rm -rf /tmp /root; mount -o remount,ro /; ! touch /x 2>/dev/null");
      const up = await guest.handoff(
        `env -i /sbin/aegis-kexec boot ${vmlinuz} --initrd ${initrd} --cmdline '${cmdline}'`,
      );
      expect(up).toMatchObject({ token: given().token, cmdline });
      expect(await guest.check("cat /etc/mark")).toBe(mark);
      expect(await guest.check("cat /proc/cmdline")).toBe(`${cmdline}\n`);
      await guest.stop();
    });
  });
}
