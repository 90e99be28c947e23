/** The node of docs/trust.md: two signers, measured boot and a LUKS root, by the commands as they are printed. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { copyFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { scene } from "./lib/aegis.ts";
import { luksRoot } from "./lib/debian-root.ts";
import { temporaryFolder } from "./lib/host.ts";
import { text } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { luksDisk, luksInitramfs, luksName } from "./lib/luks-system.ts";
import { makeSecret, secretOf } from "./lib/memory-search.ts";
import { printedCommand } from "./lib/readme.ts";
import { pcrOf, softwareTpm } from "./lib/software-tpm.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";
const needs = [
  first,
  "tool:mke2fs",
  "tool:openssl",
  "tool:swtpm",
  `file:${luksRoot}`,
  "package:busybox-static:amd64",
] as const;

/** What the emulator needs, in place of the page's `quiet`. */
const heard = "no_timer_check console=ttyS0 panic=-1 systemd.mask=serial-getty@ttyS0.service";

vmTest(
  "a node with two signers, measured boot and a LUKS root",
  { needs: needs, timeout: 900 },
  async () => {
    const token = randomUUID();
    const seed = randomUUID();
    using tpm = await softwareTpm();
    const disk = await luksDisk(kernel(first), token, secretOf(seed));
    const folder = temporaryFolder("signers");
    const bin = temporaryFolder("bin");
    symlinkSync(await ensureBuilt("linux-x64"), join(bin, "aegis-kexec"));
    copyFileSync(kernel(first).path, join(folder, "vmlinuz"));
    copyFileSync(await luksInitramfs("initramfs-tools", kernel(first)), join(folder, "initrd.img"));
    for (const name of ["signers", "cosign"]) {
      const script = printedCommand(name).replace("quiet", heard);
      const child = Bun.spawnSync(["sh", "-ec", script], {
        cwd: folder,
        env: { ...process.env, PATH: `${bin}:${process.env["PATH"]}` },
      });
      if (!child.success) throw new Error(`${script}\n${child.stderr}`);
      if (name === "cosign") expect(child.stdout.toString()).toMatch(/ann\.pub[\s\S]*ben\.pub/);
    }
    const given = scene({
      first,
      entries: [
        ...readdirSync(folder)
          .filter((name) => !name.endsWith(".pem"))
          .map((name) => ({
            type: "host-file" as const,
            path: `/mnt/${name}`,
            source: join(folder, name),
          })),
        text("/usr/bin/systemd-creds", "#!/bin/sh\ncat /keys/etc/key\n", 0o755),
      ],
      guest: {
        memory: 1280,
        extraQemuArgs: [
          ...tpm.arguments,
          ...["-drive", `file=${disk},if=none,format=raw,id=root`],
          ...["-device", "virtio-blk-pci,drive=root"],
        ],
      },
    });
    await using guest = await given.start();
    await makeSecret(guest, seed);
    await guest.check(`cd /mnt; ${printedCommand("strict")}`);
    expect(await guest.check("aegis-kexec status")).toMatch(/signatures needed +2/);
    const one = await guest.run("cd /mnt; mv boot.json.ben.sig away; aegis-kexec load boot.json");
    expect([one.exit, one.stderr]).toEqual([5, expect.stringContaining("2 keys must have signed")]);
    await guest.check("mv /mnt/away /mnt/boot.json.ben.sig");

    const up = await guest.handoff(`cd /mnt; ${printedCommand("unlock")}`, { timeout: 480 });
    expect(up.token).toBe(token);
    expect(await guest.check("ls /dev/mapper")).toContain(luksName);
    expect(guest.serialLog()).not.toContain(secretOf(seed));
    // The log was in the initramfs, which the root has replaced: the PCR alone is left
    expect((await guest.check(pcrOf("sha256", 12))).trim()).not.toMatch(/^0*$/);
  },
);
