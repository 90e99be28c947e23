/** Live systems out of ISO images on further file systems, under Secure Boot, and without a module. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { archiveChunks, type CpioEntry, parentDirectories } from "../../../src/initramfs/cpio.ts";
import { liveRoot } from "../lib/debian-root.ts";
import { kernel } from "../lib/kernels.ts";
import { installerPackage } from "../lib/packages.ts";
import { printedCommand } from "../lib/readme.ts";
import { enrolledKey, firmware, secureBootNeeds, signed } from "../lib/secureboot.ts";
import { vmTest } from "../lib/suite.ts";
import { liveKernel, liveNeeds, patience, preboot } from "../live/boot.ts";
import {
  diskWith,
  installerImage,
  type LiveKind,
  liveImage,
  liveInitramfs,
  minisigned,
} from "../live/image.ts";

for (const [kind, command, word] of [
  [
    "dmsquash-live",
    "aegis-kexec boot /mnt/isos/debian-live.iso",
    "iso-scan/filename=/isos/debian-live.iso",
  ],
  ["live-boot", printedCommand("isos"), "findiso=/isos/debian-live.iso"],
] as const satisfies readonly (readonly [LiveKind, string, string])[]) {
  vmTest(`${kind} finds the image on a vfat`, { needs: liveNeeds, timeout: patience }, async () => {
    const token = randomUUID();
    const image = await liveImage(kind, kernel(liveKernel), token);
    const disk = diskWith("vfat", { "debian-live.iso": image });
    await using guest = await preboot("vfat", disk);
    const up = await guest.handoff(command, { timeout: patience });
    expect(up).toMatchObject({ token });
    expect(up.cmdline).toContain(word);
  });
}

vmTest(
  "dmsquash-live finds a signed image on an ext4, under Secure Boot with lockdown",
  { needs: [...liveNeeds, ...secureBootNeeds, "tool:minisign"], timeout: 2 * patience },
  async () => {
    const token = randomUUID();
    const debian = kernel(liveKernel);
    const first = { ...debian, path: await signed(debian.path, await enrolledKey()) };
    const image = await liveImage("dmsquash-live", first, token);
    const { publicKey, signature } = minisigned(image);
    const disk = diskWith("ext4", { "x.iso": image, "x.iso.minisig": signature });
    const key = { type: "host-file", path: "/key.pub", source: publicKey } as const;
    await using guest = await preboot("ext4", disk, [key], { first, firmware });
    expect(await guest.check("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    // A folder of images: the one that is signed by a trusted key is the first, and the only one.
    const command = "aegis-kexec boot /mnt/isos --trust /key.pub";
    const up = await guest.handoff(command, { timeout: patience });
    expect(up).toMatchObject({ token });
    expect(up.cmdline).toContain("iso-scan/filename=/isos/x.iso");
  },
);

/** What mkinitramfs leaves out: the module, and the tables by which it is found. */
async function exfatArchive(): Promise<Uint8Array> {
  const debian = kernel(liveKernel);
  await liveInitramfs("live-boot", debian);
  const folder = `usr/lib/modules/${debian.release}`;
  const paths = [
    "kernel/fs/exfat/exfat.ko.xz",
    ...["modules.dep", "modules.dep.bin", "modules.alias", "modules.alias.bin"],
  ].map((name) => `${folder}/${name}`);
  const entries = paths
    .filter((path) => existsSync(join(liveRoot, path)))
    .map((path): CpioEntry => ({ type: "file", path, data: readFileSync(join(liveRoot, path)) }));
  const folders = parentDirectories(entries.map(({ path }) => path));
  const all = [...folders.map((path) => ({ type: "directory", path }) as const), ...entries];
  return Buffer.concat([...archiveChunks(all)]);
}

vmTest(
  "live-boot's archive has no module for exFAT: that is said, and it boots with one added",
  { needs: [...liveNeeds, "tool:mkfs.exfat"], timeout: 2 * patience },
  async () => {
    const token = randomUUID();
    const image = await liveImage("live-boot", kernel(liveKernel), token);
    await using guest = await preboot("exfat", diskWith("exfat", {}), [
      { type: "host-file", path: "/x.iso", source: image },
      { type: "file", path: "/exfat.cpio", data: await exfatArchive() },
    ]);
    await guest.check("cp /x.iso /mnt/x.iso && rm /x.iso && sync", { timeout: 240 });
    const words = "aegis-kexec load /mnt/x.iso --json";
    const bare = JSON.parse(await guest.check(words));
    expect(bare.warnings.join("\n")).toContain(
      "it lies on exfat, and the initramfs has no module for that",
    );
    const added = JSON.parse(await guest.check(`${words} --initrd /exfat.cpio`));
    expect(added.warnings.join("\n")).not.toContain("module");
    const boot = "aegis-kexec boot /mnt/x.iso --initrd /exfat.cpio";
    const up = await guest.handoff(boot, { timeout: patience });
    expect(up).toMatchObject({ token });
    expect(await guest.check("mount")).toContain("/run/live/findiso type exfat");
  },
);

vmTest(
  "Debian's installer asks for a language, from an image whose menu names no console",
  { needs: [...liveNeeds, `package:${installerPackage}`], timeout: 2 * patience },
  async () => {
    const disk = diskWith("ext4", { "mini.iso": installerImage() });
    await using guest = await preboot("ext4", disk);
    const boot = "aegis-kexec boot /mnt/isos/mini.iso --verbose";
    await guest.check(`setsid sh -c 'sleep 1; ${boot} >/dev/ttyS0 2>&1' &`);
    await guest.awaitConsole(/Select a language/, patience);
    const log = guest.serialLog();
    expect(log).toContain("Debian's installer from a network");
    // Where the installer is not seen otherwise: this machine has a serial line alone.
    // Behind `---`, so that the installed system has it, too. Its own kernel is quiet: this is what was loaded.
    expect(log).toMatch(/command line is: vga=788 --- quiet console=ttyS0/);
  },
);
