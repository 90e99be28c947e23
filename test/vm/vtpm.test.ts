/** TPMs that are busy, yield, or are in failure mode, played by a program behind the kernel's vtpmx. */
import { expect } from "bun:test";
import { join } from "node:path";
import { errorOf, initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { demandMeasuring } from "./lib/signed-load.ts";
import { pcrOf, softwareTpm } from "./lib/software-tpm.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";

/** Puts a TPM that answers as it is told in the place of the guest's own. */
async function behave(guest: Guest, code: number, times: number): Promise<void> {
  await guest.check(
    `[ -e /dev/real ] || { mv /dev/tpm0 /dev/real; rm /dev/tpmrm0; }; rm -f /dev/tpmrm0; kill $(cat /run/vtpm 2>/dev/null) 2>/dev/null; sleep 1; ` +
      `setsid vtpm /dev/real ${code} ${times} >/run/number 2>/run/vtpm.err & echo $! >/run/vtpm; ` +
      'until n=$(cat /run/number) && [ -n "$n" ] && [ -e /dev/tpmrm$n ]; do usleep 50000; done; ' +
      "ln -s tpmrm$n /dev/tpmrm0; kill -USR1 $(cat /run/vtpm); usleep 200000; " +
      "kill -0 $(cat /run/vtpm) || { cat /run/vtpm.err >&2; exit 1; }",
  );
}

/** TPM_RC_RETRY, TPM_RC_YIELDED and TPM_RC_FAILURE: Part 2, 6.6. */
const [retry, yielded, failure] = [0x922, 0x908, 0x101];

vmTest(
  "a TPM that is busy or yields is asked again, and one that fails stops what must be measured",
  { needs: [first, "tool:swtpm", "tool:cc", "tool:openssl"], timeout: 900 },
  async () => {
    using tpm = await softwareTpm();
    const program = temporaryPath("vtpm");
    const source = join(import.meta.dir, "guest", "vtpm.c");
    await Bun.$`cc -O2 -static -o ${program} ${source}`.quiet();
    const given = scene({
      first,
      entries: [{ type: "host-file", path: "/sbin/vtpm", source: program, mode: 0o755 }],
      initramfs: { modules: { kernel: kernel(first), names: ["tpm_vtpm_proxy"] } },
      guest: { extraQemuArgs: tpm.arguments },
    });
    await using guest = await given.start();
    const words = `${vmlinuz} --initrd ${initrd} --cmdline x --measure 12`;
    const loaded = async () => (await guest.check("cat /sys/kernel/kexec_loaded")).trim();
    const value = () => guest.check(pcrOf("sha256", 12));

    let before = await value();
    for (const code of [retry, yielded]) {
      await behave(guest, code, 3);
      const asked = await guest.run(`aegis-kexec load ${words} --json`);
      expect([asked.exit, asked.stderr]).toEqual([0, ""]);
      expect(JSON.parse(asked.stdout).measured).toHaveLength(3);
      const after = await value();
      expect(after).not.toBe(before);
      before = after;
      await guest.check("aegis-kexec unload");
    }

    // One that never comes to it: told where nobody demands it, refused where a policy does
    await behave(guest, yielded, -1);
    const busy = await guest.run(`aegis-kexec load ${words} --json`);
    expect([busy.exit, busy.stderr]).toEqual([
      0,
      expect.stringContaining(
        "not all is measured: cannot extend PCR 12: the TPM /dev/tpmrm0: it has been busy for 5 s",
      ),
    ]);
    expect(JSON.parse(busy.stdout).measured).toEqual([]);
    expect(await loaded()).toBe("1");
    await guest.check("aegis-kexec unload");

    await demandMeasuring(guest);
    for (const [code, why] of [
      [retry, "it has been busy for 5 s"],
      [failure, "it is in failure mode"],
    ] as const) {
      await behave(guest, code, -1);
      const refused = await guest.run("aegis-kexec load /boot/boot.json --json", { timeout: 120 });
      expect([refused.exit, errorOf(refused.stdout)["code"]]).toEqual([12, "io-error"]);
      expect(errorOf(refused.stdout)["message"]).toContain(why);
      expect(await loaded()).toBe("0");
    }
    const ill = JSON.parse(await guest.check("aegis-kexec status --json"));
    expect(ill.tpm.device).toBe("/dev/tpmrm0");
    expect(await value()).toBe(before);

    // The bare device has one user at a time
    await behave(guest, yielded, 0);
    const held = await guest.run(
      "rm /dev/tpmrm0; ln -s tpm$(cat /run/number) /dev/tpm0; exec 9<>/dev/tpm0; aegis-kexec load /boot/boot.json --json",
    );
    expect([held.exit, errorOf(held.stdout)["code"]]).toEqual([10, "busy"]);
    expect(await loaded()).toBe("0");
  },
);
