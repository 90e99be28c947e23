/** A TPM with one bank only, and what was sealed to the preboot's state: it stays sealed once that is left. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { initrd, scene, vmlinuz } from "./lib/aegis.ts";
import { temporaryFolder } from "./lib/host.ts";
import type { KernelName } from "./lib/kernels.ts";
import { bootAsPredicted } from "./lib/prediction.ts";
import { parseLog, pcrOf, replayedByTools, softwareTpm, Tpm2Tools } from "./lib/software-tpm.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";

vmTest(
  "a TPM with one bank only is measured into, and what was sealed to the preboot stays sealed",
  { needs: [first, "tool:swtpm_setup", "tool:socat", "tool:tpm2_unseal"], timeout: 900 },
  async () => {
    using tpm = await softwareTpm({ banks: "sha384" });
    const given = scene({ first, guest: { extraQemuArgs: tpm.arguments } });
    await using guest = await given.start();
    const status = JSON.parse(await guest.check("aegis-kexec status --json"));
    expect(status.tpm.banks.map(({ bank }: { bank: string }) => bank)).toEqual(["sha384"]);

    using tools = Tpm2Tools.onGuest(guest);
    const folder = temporaryFolder("sealed");
    const secret = randomUUID();
    writeFileSync(join(folder, "secret"), secret);
    // What a command leaves loaded would fill the TPM's few places
    const flush = "tpm2_flushcontext --transient-object";
    const primary = `cd ${folder}; tpm2_createprimary -Q -C o -G ecc -c primary.ctx; ${flush}`;
    const loaded = `${primary}; tpm2_load -Q -C primary.ctx -u key.pub -r key.priv -c key.ctx; ${flush}`;
    const unseal = `${loaded}; echo loaded; tpm2_unseal -c key.ctx -p pcr:sha384:12`;
    await tools.run(
      `${primary}; tpm2_createpolicy -Q --policy-pcr -l sha384:12 -L policy; ` +
        "tpm2_create -Q -C primary.ctx -L policy -i secret -u key.pub -r key.priv",
    );
    expect(await tools.run(unseal)).toContain(secret);

    const next = await bootAsPredicted(
      guest,
      `${vmlinuz} --initrd ${initrd} --cmdline "${given.console}"`,
      { more: "--measure 12 --measure-log /etc/measured.log" },
    );
    expect(next.token).toBe(given.token);
    const entries = parseLog(await guest.check("cat /etc/measured.log"));
    expect(entries.map(({ digests }) => digests.map(({ hashAlg }) => hashAlg))).toEqual([
      ["sha384"],
      ["sha384"],
      ["sha384"],
    ]);
    const value = (await guest.check(pcrOf("sha384", 12))).trim();
    expect(value).toBe(await replayedByTools(entries, 12, "sha384"));

    // The object is still there to be loaded: its policy is what fails (TPM_RC_POLICY_FAIL)
    const after = await tools.attempt(unseal);
    expect(after.output).toContain("loaded");
    expect([after.exit, after.output]).toEqual([1, expect.stringMatching(/policy/i)]);
    expect(after.output).not.toContain(secret);
  },
);
