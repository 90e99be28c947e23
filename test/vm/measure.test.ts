/** What is loaded is measured into a TPM before the jump, and the log says by what. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { extended } from "../../src/trust/tpm/measurements.ts";
import { errorOf, initrd, scene, vmlinuz } from "./lib/aegis.ts";
import { temporaryFolder } from "./lib/host.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import type { KernelName } from "./lib/kernels.ts";
import { bootAsPredicted, predict } from "./lib/prediction.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";
const needs = [first, "tool:swtpm"] as const;

/** A software TPM, and QEMU's arguments for it. */
async function softwareTpm() {
  const folder = temporaryFolder("tpm");
  const control = join(folder, "control");
  const child = Bun.spawn(
    [
      ...["swtpm", "socket", "--tpm2", "--tpmstate", `dir=${folder}`],
      ...["--ctrl", `type=unixio,path=${control}`, "--terminate"],
    ],
    { stdout: "ignore", stderr: "ignore" },
  );
  for (let tries = 0; tries < 200 && !existsSync(control); tries++) await Bun.sleep(50);
  return {
    arguments: [
      ...["-chardev", `socket,id=chrtpm,path=${control}`],
      ...["-tpmdev", "emulator,id=tpm0,chardev=chrtpm", "-device", "tpm-crb,tpmdev=tpm0"],
    ],
    [Symbol.dispose]: () => child.kill(),
  };
}

/** The value of a PCR as the kernel shows it. */
const pcrOf = (bank: string, pcr: number) =>
  `cat /sys/class/tpm/tpm0/pcr-${bank}/${pcr} | tr 'A-F' 'a-f'`;

interface Entry {
  readonly pcr: number;
  readonly digests: readonly { readonly hashAlg: string; readonly digest: string }[];
  readonly content: { readonly string: string };
}

/** The records of a log as systemd keeps it. */
function parseLog(log: string): Entry[] {
  return log
    .split("\x1e")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as Entry);
}

function replayed(entries: readonly Entry[], pcr: number, bank: "sha256" | "sha384"): string {
  const zeros = "00".repeat(bank === "sha256" ? 32 : 48);
  return entries
    .filter((entry) => entry.pcr === pcr)
    .map(({ digests }) => digests.find(({ hashAlg }) => hashAlg === bank)?.digest ?? "")
    .reduce((value, digest) => extended(bank, value, digest), zeros);
}

vmTest(
  "the PCR is what the log in the next initramfs comes to, and a policy demands it",
  { needs, timeout: 600 },
  async () => {
    using tpm = await softwareTpm();
    const token = randomUUID();
    const given = scene({
      first,
      entries: [
        {
          type: "host-file",
          path: "/boot/next.img",
          source: guestInitramfs({ arch: "x86_64", token }),
        },
        text("/boot/policy", ""),
      ],
      guest: { extraQemuArgs: tpm.arguments },
    });
    await using guest = await given.start();
    const zeros = "0".repeat(64);
    expect((await guest.check(pcrOf("sha256", 12))).trim()).toBe(zeros);

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
      expect(value).toBe(replayed(entries, 12, bank));
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
    const folder = temporaryFolder("keys");
    const run = (script: string) => {
      const child = Bun.spawnSync(["sh", "-ec", script], { cwd: folder });
      if (!child.success) throw new Error(`${child.stderr}`);
    };
    run(
      "openssl genpkey -algorithm ed25519 -out key.pem; openssl pkey -in key.pem -pubout -out org.pub",
    );
    await guest.check(
      `aegis-kexec manifest ${vmlinuz} --initrd ${initrd} --cmdline x --generation 1 >/boot/boot.json`,
    );
    await Bun.write(join(folder, "boot.json"), await guest.check("cat /boot/boot.json"));
    run("openssl pkeyutl -sign -rawin -inkey key.pem -in boot.json -out boot.json.sig");
    const put = async (name: string, path: string) => {
      const base64 = Buffer.from(await Bun.file(join(folder, name)).bytes()).toString("base64");
      await guest.check(`echo ${base64} | base64 -d >${path}`);
    };
    await put("boot.json.sig", "/boot/boot.json.sig");
    await guest.check("mkdir -p /etc/aegis-kexec");
    await put("org.pub", "/etc/aegis-kexec/org.pub");
    await guest.check(
      `echo '{"trust":["/etc/aegis-kexec/org.pub"],"measure":{"pcr":12,"required":true}}' >/etc/aegis-kexec/policy.json`,
    );
    const refused = await guest.run("aegis-kexec load /boot/boot.json --json");
    expect(refused.exit).toBe(12);
    expect(errorOf(refused.stdout)["message"]).toContain("this machine has no TPM");
    expect((await guest.check("cat /sys/kernel/kexec_loaded")).trim()).toBe("0");
  },
);
