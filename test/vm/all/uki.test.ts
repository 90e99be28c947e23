/** A preboot as a UKI: made by ukify as the page tells, and started by firmware that verifies it. */
import { expect } from "bun:test";
import { chmodSync, copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unique } from "../lib/aegis.ts";
import { startGuest } from "../lib/guest.ts";
import { temporaryFolder, temporaryPath } from "../lib/host.ts";
import { kernel } from "../lib/kernels.ts";
import { diskModules } from "../lib/module-tree.ts";
import { ukifyPackages, unpackedPackage } from "../lib/packages.ts";
import { printedCommand } from "../lib/readme.ts";
import { enrolledKey, firmware, secureBootNeeds, signed } from "../lib/secureboot.ts";
import { bareArchive, disk, emptyDisk, ext4Store, generation } from "../lib/stores.ts";
import { type Need, vmTest } from "../lib/suite.ts";

const first = "debian-6.12-full";
const next = "debian-6.12";

const tools: readonly Need[] = (
  ["python3", "zstd", "depmod", "mke2fs", "mkfs.vfat", "mmd", "mcopy"] as const
).map((tool): Need => `tool:${tool}`);

/** A folder with the program `ukify`: out of packages that are unpacked and not installed. */
function ukifyFolder(): string {
  const [program, library, stub] = ukifyPackages.map((name) => unpackedPackage(name) ?? "");
  const folder = temporaryFolder("ukify");
  const lines = [
    "#!/bin/sh",
    `export PYTHONPATH=${library}/usr/lib/python3/dist-packages`,
    `exec python3 ${program}/usr/bin/ukify "$@" --stub=${stub}/usr/lib/systemd/boot/efi/linuxx64.efi.stub`,
  ];
  writeFileSync(join(folder, "ukify"), `${lines.join("\n")}\n`);
  chmodSync(join(folder, "ukify"), 0o755);
  return folder;
}

vmTest(
  "a UKI made by ukify boots the newest generation under UEFI Secure Boot",
  {
    needs: [
      ...secureBootNeeds,
      first,
      next,
      ...ukifyPackages.map((name): Need => `package:${name}`),
      ...tools,
    ],
    timeout: 1200,
  },
  async () => {
    const key = await enrolledKey();
    const folder = temporaryFolder("uki");
    copyFileSync(kernel(first).path, join(folder, "vmlinuz"));
    copyFileSync(key.key, join(folder, "db.key"));
    copyFileSync(key.certificate, join(folder, "db.pem"));
    const archive = await bareArchive(first, { modules: [...diskModules, "i6300esb"] });
    await Bun.$`zstd -q -3 ${archive} -o preboot.img`.cwd(folder);
    const heard = "no_timer_check console=ttyS0 panic=10";
    const script = printedCommand("uki").replace("panic=10", heard);
    const path = `${ukifyFolder()}:${process.env["PATH"]}`;
    await Bun.$`sh -euc ${script}`
      .cwd(folder)
      .env({ ...process.env, PATH: path })
      .quiet();

    const system = emptyDisk("vfat", 160);
    await Bun.$`mmd -i ${system} ::/EFI ::/EFI/BOOT`;
    await Bun.$`mcopy -i ${system} ${join(folder, "preboot.efi")} ::/EFI/BOOT/BOOTX64.EFI`;
    const token = unique();
    const image = await signed(kernel(next).path, key);
    const store = ext4Store({
      "7+3": generation({ generation: 7, name: next, image, token }),
      "6": generation({ generation: 6, name: next, image, token: "older" }),
    });
    await using guest = await startGuest({
      kernel: kernel(first),
      initramfs: temporaryPath("none"),
      fromDisk: true,
      firmware,
      memory: 1536,
      bootTimeout: 900,
      extraQemuArgs: [
        ...disk("virtio", system),
        ...disk("nvme", store),
        ...["-device", "i6300esb", "-action", "watchdog=none"],
      ],
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.announcement.cmdline).toMatch(/ gen=7 aegis_kexec\.from=UUID=\S+$/);
    expect(await guest.check("cat /sys/kernel/security/lockdown")).toContain("[integrity]");
    // The command line is the UKI's.
    expect(guest.serialLog()).toContain(
      "rdinit=/sbin/aegis-kexec -- boot LABEL=STORE:/generations",
    );
    expect(guest.serialLog()).not.toContain("warning:");
  },
);
