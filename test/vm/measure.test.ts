/** What is loaded is measured into a TPM before the jump, and the log says by what. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { errorOf, initrd, scene, vmlinuz } from "./lib/aegis.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { bootAsPredicted, predict } from "./lib/prediction.ts";
import { demandMeasuring } from "./lib/signed-load.ts";
import { parseLog, pcrOf, replayedByTools, softwareTpm } from "./lib/software-tpm.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";
const tools = ["tool:swtpm", "tool:socat", "tool:tpm2_pcrextend"] as const;

/** Each machine's usual TPM. */
const machines = [
  [first, "tpm-crb"],
  ["aarch64-full", "tpm-tis-device"],
] as const satisfies readonly (readonly [KernelName, string])[];

for (const [name, device] of machines)
  vmTest(
    `on ${name} with ${device} the PCR is what the log in the next initramfs comes to`,
    { needs: [name, ...tools], timeout: 600 },
    async () => {
      using tpm = await softwareTpm({ device });
      const token = randomUUID();
      const given = scene({
        first: name,
        entries: [
          {
            type: "host-file",
            path: "/boot/next.img",
            source: guestInitramfs({ arch: kernel(name).arch, token }),
          },
          text("/boot/policy", ""),
        ],
        guest: { extraQemuArgs: tpm.arguments },
      });
      await using guest = await given.start();
      const zeros = "0".repeat(64);
      expect((await guest.check(pcrOf("sha256", 12))).trim()).toBe(zeros);

      const before = JSON.parse(await guest.check("aegis-kexec status --json")).tpm;
      expect(before).toMatchObject({ device: "/dev/tpmrm0", version: "2.0" });
      expect(before.vendor).toMatch(/^IBM/);
      const banks = before.banks.map(({ bank }: { bank: string }) => bank);
      expect(banks).toEqual(expect.arrayContaining(["sha256", "sha384"]));
      expect(before.banks.find(({ bank }: { bank: string }) => bank === "sha256").pcrs["12"]).toBe(
        zeros,
      );

      const dry = `aegis-kexec load ${vmlinuz} --initrd ${initrd} --cmdline x`;
      await guest.check(`${dry} --measure 12 --dry-run`);
      expect((await guest.check(pcrOf("sha256", 12))).trim()).toBe(zeros);
      const reset = await guest.run(`${dry} --measure 16`);
      expect([reset.exit, reset.stderr]).toEqual([2, expect.stringContaining("can be reset")]);

      const next = await bootAsPredicted(
        guest,
        `${vmlinuz} --initrd /boot/next.img --cmdline "${given.console}"`,
        {
          more: "--measure 12 --measure-log /etc/measured.log --log /attempts --verbose >/dev/ttyS0 2>&1",
        },
      );
      expect(next.token).toBe(token);

      const log = await guest.check("cat /etc/measured.log");
      const entries = parseLog(log);
      expect(entries.map(({ content }) => content.string.split(" ")[0])).toEqual([
        "kernel",
        "initrd",
        "cmdline",
      ]);
      const kernelDigest = new Bun.CryptoHasher("sha256");
      kernelDigest.update(await Bun.file(given.nextKernel).bytes());
      expect(entries[0]?.content.string).toBe(`kernel sha256:${kernelDigest.digest("hex")}`);
      for (const bank of ["sha256", "sha384"] as const) {
        const value = (await guest.check(pcrOf(bank, 12))).trim();
        expect(value).toBe(await replayedByTools(entries, 12, bank));
      }
    },
  );

vmTest(
  "without a TPM it is a warning, and a refusal where the policy demands it",
  { needs: [first, "tool:openssl"] },
  async () => {
    const given = scene({ first });
    await using guest = await given.start();
    const words = `${vmlinuz} --initrd ${initrd} --cmdline x`;
    const prediction = await predict(guest, words);
    const warned = await guest.run(`aegis-kexec load ${words} --measure 12`);
    prediction.holds(warned.exit);
    expect([warned.exit, warned.stderr]).toEqual([
      0,
      expect.stringContaining("nothing is measured: cannot measure: this machine has no TPM"),
    ]);
    await guest.check("aegis-kexec unload");
    // A policy refuses the bare kernel before that: its demand is shown on a signed manifest
    await demandMeasuring(guest);
    const refused = await guest.run("aegis-kexec load /boot/boot.json --json");
    expect(refused.exit).toBe(12);
    expect(errorOf(refused.stdout)["message"]).toContain("this machine has no TPM");
    expect((await guest.check("cat /sys/kernel/kexec_loaded")).trim()).toBe("0");
  },
);
