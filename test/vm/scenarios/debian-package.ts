/** The Debian package of a release, from the installation to the purge, on a disk with Debian. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Release } from "../../../build/release/changelog.ts";
import { debianPackage, nobody } from "../../../build/release/debian.ts";
import { version } from "../../../src/version.ts";
import { binaryFor } from "../lib/aegis.ts";
import { copyOf, diskGuest, mountSystem } from "../lib/disk.ts";
import { type Arch, temporaryPath } from "../lib/host.ts";
import { guestInitramfs } from "../lib/initramfs.ts";
import { type KernelName, kernel } from "../lib/kernels.ts";
import { vmTest } from "../lib/suite.ts";

const settings = "/etc/aegis-kexec/initramfs.conf";
const wanted = "/etc/systemd/system/multi-user.target.wants/aegis-kexec-load.service";

/** As Debian calls them. */
const architectures = { x86_64: "amd64", aarch64: "arm64" } as const satisfies Record<Arch, string>;

async function packageOf(arch: Arch, releases: readonly Release[]): Promise<string> {
  const binary = await Bun.file(await binaryFor(arch)).bytes();
  const architecture = architectures[arch];
  const about = { architecture, binary, notices: "none", maintainer: nobody };
  const path = temporaryPath("package.deb");
  writeFileSync(path, await debianPackage({ ...about, releases }));
  return path;
}

/** @param enable Has systemd start its unit from now on. */
export function debianPackageScenario(first: KernelName, image: string, enable: string): void {
  const title = "the Debian package is installed, used, upgraded, removed and purged";
  vmTest(title, { needs: [first, `file:${image}`], timeout: 900 }, async () => {
    const { arch, path, release } = kernel(first);
    const older = { version: "0.0.1", date: "2026-01-01" };
    const newer = { version: "0.0.2", date: "2026-01-02" };
    const token = randomUUID();
    await using guest = await diskGuest(first, copyOf(image), [
      { type: "host-file", path: "/given/old.deb", source: await packageOf(arch, [older]) },
      { type: "host-file", path: "/given/new.deb", source: await packageOf(arch, [newer, older]) },
      { type: "host-file", path: "/given/vmlinuz", source: path },
      { type: "host-file", path: "/given/initrd.img", source: guestInitramfs({ arch, token }) },
    ]);
    await mountSystem(guest);
    await guest.check("mount -o bind /given /mnt/mnt");
    const there = (command: string) =>
      guest.check(`chroot /mnt /usr/bin/env PATH=/usr/sbin:/usr/bin:/sbin:/bin ${command}`, {
        timeout: 240,
      });
    const absent = (path: string) => guest.check(`test ! -e /mnt${path}`);
    const install = (name: string) => there(`dpkg --force-unsafe-io --install /mnt/${name}.deb`);
    const state = () => there("dpkg-query -W -f '${Status} ${Version}' aegis-kexec");

    await install("old");
    expect(await state()).toBe("install ok installed 0.0.1-1");
    expect(await there("dpkg-query -W -f '${Architecture}' aegis-kexec")).toBe(architectures[arch]);
    expect(await there("dpkg --print-architecture")).toBe(`${architectures[arch]}\n`);
    expect(await there("dpkg --verify aegis-kexec")).toBe("");
    expect(await there("cat /var/lib/dpkg/info/aegis-kexec.conffiles")).toBe(
      `${settings}\n/etc/default/aegis-kexec\n`,
    );
    expect(await there("zcat /usr/share/man/man8/aegis-kexec.8.gz")).toContain(".Dt AEGIS-KEXEC 8");
    await there("test -x /usr/share/initramfs-tools/hooks/aegis-kexec");
    await there("test -x /usr/lib/dracut/modules.d/90aegis-kexec/module-setup.sh");
    await there(
      "sh -ec 'cd /usr/share; test -s zsh/vendor-completions/_aegis-kexec; test -s fish/vendor_completions.d/aegis-kexec.fish; bash -n bash-completion/completions/aegis-kexec'",
    );
    // Nothing is started that nobody asked for
    await absent(wanted);
    await there(enable);
    await guest.check(`test -L /mnt${wanted}`);

    expect(await there("aegis-kexec --version")).toBe(`aegis-kexec ${version}\n`);
    const kexec = { fileLoad: true, loaded: false };
    const status: unknown = JSON.parse(await there("aegis-kexec status --json"));
    expect(status).toMatchObject({ architecture: arch, release, kexec });
    const load = "aegis-kexec load /mnt/vmlinuz --initrd /mnt/initrd.img --cmdline 'a b'";
    await there(`sh -ec "${load}"`);
    expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
    await there("aegis-kexec unload");

    // What the administrator changed or added is kept, over an upgrade and a removal
    await guest.check(`echo INITRAMFS=yes >/mnt${settings}`);
    await guest.check("echo key >/mnt/etc/aegis-kexec/org.pub");
    await install("new");
    expect(await state()).toBe("install ok installed 0.0.2-1");
    expect(await guest.check(`cat /mnt${settings}`)).toBe("INITRAMFS=yes\n");
    await there("dpkg --remove aegis-kexec");
    expect(await state()).toBe("deinstall ok config-files 0.0.2-1");
    await absent("/usr/sbin/aegis-kexec");
    expect(await guest.check(`cat /mnt${settings}`)).toBe("INITRAMFS=yes\n");
    await install("new");
    await there(`test -L ${wanted}`);
    await there("dpkg --purge aegis-kexec");
    expect(await there("find / -xdev -path '*aegis-kexec*'")).toBe(
      "/etc/aegis-kexec\n/etc/aegis-kexec/org.pub\n",
    );
    expect(await guest.check("cat /mnt/etc/aegis-kexec/org.pub")).toBe("key\n");

    await install("new");
    const boot = `chroot /mnt /usr/bin/env PATH=/usr/sbin:/usr/bin sh -ec "${load.replace("load", "boot --force --no-sync")}"`;
    expect(await guest.handoff(boot)).toMatchObject({ token, cmdline: "a b" });
  });
}
