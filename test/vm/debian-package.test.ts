/** The Debian package of a release, on Debian's own disk: installed, used, upgraded, removed and purged. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import type { Release } from "../../build/release/changelog.ts";
import { debianPackage, nobody } from "../../build/release/debian.ts";
import { ensureBuilt } from "../../build/reuse.ts";
import { copyOf, diskGuest } from "./lib/disk.ts";
import { temporaryPath } from "./lib/host.ts";
import { guestInitramfs } from "./lib/initramfs.ts";
import { mountDisk } from "./lib/installed.ts";
import { kernel } from "./lib/kernels.ts";
import { vmTest } from "./lib/suite.ts";
import { systemdImage } from "./lib/systemd-image.ts";

const first = "debian-6.12";
const settings = "/etc/aegis-kexec/initramfs.conf";
const wanted = "/etc/systemd/system/multi-user.target.wants/aegis-kexec-load.service";

async function packageOf(releases: readonly Release[]): Promise<string> {
  const binary = await Bun.file(await ensureBuilt("linux-x64")).bytes();
  const about = { architecture: "amd64", binary, notices: "none", maintainer: nobody } as const;
  const path = temporaryPath("package.deb");
  writeFileSync(path, await debianPackage({ ...about, releases }));
  return path;
}

vmTest(
  "the Debian package is installed, used, upgraded, removed and purged",
  { needs: [first, `file:${systemdImage}`], timeout: 900 },
  async () => {
    const older = { version: "0.0.1", date: "2026-01-01" };
    const newer = { version: "0.0.2", date: "2026-01-02" };
    const token = randomUUID();
    await using guest = await diskGuest(first, copyOf(systemdImage), [
      { type: "host-file", path: "/given/old.deb", source: await packageOf([older]) },
      { type: "host-file", path: "/given/new.deb", source: await packageOf([newer, older]) },
      { type: "host-file", path: "/given/vmlinuz", source: kernel(first).path },
      {
        type: "host-file",
        path: "/given/initrd.img",
        source: guestInitramfs({ arch: "x86_64", token }),
      },
    ]);
    await mountDisk(guest);
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
    await there("systemctl enable aegis-kexec-load.service");
    await guest.check(`test -L /mnt${wanted}`);

    expect(await there("aegis-kexec status")).toContain("kexec");
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
    for (const path of [
      settings,
      "/etc/default/aegis-kexec",
      "/usr/share/doc/aegis-kexec",
      wanted,
    ]) {
      await guest.check(`test ! -e /mnt${path} && test ! -L /mnt${path}`);
    }
    expect(await guest.check("cat /mnt/etc/aegis-kexec/org.pub")).toBe("key\n");

    await install("new");
    const boot = `chroot /mnt /usr/bin/env PATH=/usr/sbin:/usr/bin sh -ec "${load.replace("load", "boot --force --no-sync")}"`;
    expect(await guest.handoff(boot)).toMatchObject({ token, cmdline: "a b" });
  },
);
