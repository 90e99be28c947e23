/** docs/install.md as it stands, on a Debian: from the install to the next kernels, the undo and back. */
import { expect } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { ar, tar } from "../../../build/release/tar.ts";
import { repository, temporaryPath } from "../lib/host.ts";
import { type GuestEntry, guestInitramfs, text } from "../lib/initramfs.ts";
import { kernel } from "../lib/kernels.ts";
import { printedCommand } from "../lib/readme.ts";
import { vmTest } from "../lib/suite.ts";
import { lastService, name, patience, systemdGuest, toDisk } from "../lib/systemd-guest.ts";

const tool = "install";

/** What a secret holds, and where it comes from: neither may be in a journal. */
const secret = { value: "hunter2-of-the-disk", source: "/root/kept-aside" } as const;

/** A script that fails ends the guest, so that nobody waits for the next kernel. */
const begin = `#!/bin/bash
set -exE
trap 'systemctl poweroff --force --force' ERR`;

const words = "no_timer_check console=ttyS0 panic=-1 systemd.mask=serial-getty@ttyS0.service quiet";

/** What the second kernel has in its /boot beside a kernel: the first finds the newest pair. */
const entry = text(
  "/payload/boot/loader/entries/next.conf",
  `title next\nlinux /vmlinuz-2\ninitrd /initrd.img-2\noptions ${words} by-entry\n`,
);

/**
 * As somebody does who has the archive of a release, with the commands of docs/install.md as they stand. The unit
 * does not start where there is nothing to load, and says so; that ends nothing.
 */
const install = `${begin}
mkdir -p /run/release
cp -r /run/contrib /run/release/
cp /run/aegis-kexec /run/release/
cd /run/release
${printedCommand(tool)}
echo SOURCE=/nowhere >/etc/default/aegis-kexec
! systemctl start aegis-kexec-load.service
sleep 1
echo "refused unit: $(systemctl show --property=ConditionResult,ActiveState aegis-kexec-refused.service | tr '\\n' ' ')"

dpkg --force-depends --install /run/kexec-tools.deb
${printedCommand(`${tool}-divert`)}
kexec --version
# An upgrade of it leaves the link alone
dpkg --force-depends --install /run/kexec-tools.deb
kexec --version
${printedCommand(`${tool}-divert-undo`)}
grep "the one of kexec-tools" $(command -v kexec)
dpkg --purge kexec-tools
${printedCommand(`${tool}-link`)}
hash -r
kexec --version
rm /usr/local/sbin/kexec

echo ${secret.value} >${secret.source}
cat >/etc/default/aegis-kexec <<'END'
SOURCE=/boot
OPTIONS='--cmdline "${words} by-hand" --secret ${secret.source}:/etc/cryptsetup-keys.d/disk.key'
END
aegis-kexec inspect /boot --cmdline x | head -n 3
${printedCommand(`${tool}-enable`)}
systemctl is-active aegis-kexec-load.service
${printedCommand(`${tool}-restart`)}
`;

/** Nothing of a secret is in the journal, and in lines of the kernel log not where it comes from, either. */
const noSecret = `! journalctl -b -1 | grep ${secret.value}
! journalctl -b -1 -k | grep ${secret.source}
`;

/** In the second kernel, where the same disk is the root: see that it worked, and restart from here. */
const second = `${begin}
${printedCommand(`${tool}-check`)}
echo journal of the first
${printedCommand(`${tool}-journal`)}
${noSecret}
echo end of the journal
${printedCommand(`${tool}-boot`)}
`;

/** In the third: undo it, go back. */
const third = `${begin}
cat /proc/cmdline
echo journal of the second
${printedCommand(`${tool}-journal`)}
echo end of the journal
${printedCommand(`${tool}-undo`)}
! command -v aegis-kexec
! systemctl cat aegis-kexec-load.service
ls /etc/systemd/system
echo "undone: all"
systemctl reboot
`;

const says = (script: string) => `[Unit]
After=multi-user.target
[Service]
ExecStart=/bin/bash /run/${script}
StandardOutput=file:/dev/ttyS0
StandardError=file:/dev/ttyS0
`;

/** An initramfs that goes over to the disk and runs the script there, with what is in its /boot. */
function next(script: string, boot: readonly GuestEntry[] = []): string {
  return guestInitramfs({
    arch: "x86_64",
    modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk"] },
    entries: [
      ...toDisk,
      text("/payload/script", script),
      ...lastService(says("script")),
      ...(boot.length === 0 ? [{ type: "directory", path: "/payload/boot" } as const] : boot),
    ],
  });
}

/** A kernel and its initramfs in /boot. */
function inBoot(number: number, initramfs: string): GuestEntry[] {
  const folder = "/payload/boot";
  return [
    { type: "host-file", path: `${folder}/vmlinuz-${number}`, source: kernel(name).path },
    { type: "host-file", path: `${folder}/initrd.img-${number}`, source: initramfs },
  ];
}

/** A package that has `kexec` where the kexec-tools of that Debian has it: deb(5). */
async function kexecTools(place: string): Promise<string> {
  const encode = (lines: string) => new TextEncoder().encode(lines);
  const control = `Package: kexec-tools
Version: 1:2.0
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Description: stands in for kexec-tools
`;
  const archive = (path: string, mode: 0o644 | 0o755, data: string) =>
    Bun.gzipSync(new Uint8Array(tar([{ path, mode, data: encode(data) }], 0, "./")));
  const path = temporaryPath("kexec-tools.deb");
  await Bun.write(
    path,
    ar(
      [
        ["debian-binary", encode("2.0\n")],
        ["control.tar.gz", archive("control", 0o644, control)],
        ["data.tar.gz", archive(place.slice(1), 0o755, "#!/bin/sh\necho the one of kexec-tools\n")],
      ],
      0,
    ),
  );
  return path;
}

/** @param place of `kexec` in that Debian's kexec-tools. */
export function installPageScenario(debian: string, image: string, place: string): void {
  vmTest(
    `docs/install.md as it stands, on ${debian}: from the install to the next kernels, the undo and back`,
    { needs: [name, `file:${image}`], timeout: 3 * patience },
    async () => {
      const released = ["systemd", "man", "completions"].flatMap((folder) =>
        readdirSync(join(repository, "contrib", folder)).map(
          (file) =>
            ({
              type: "host-file",
              path: `/payload/contrib/${folder}/${file}`,
              source: join(repository, "contrib", folder, file),
            }) as const,
        ),
      );
      let log = "";
      const ended = systemdGuest(
        image,
        "/bin/bash /run/install",
        [
          text("/payload/install", install),
          ...released,
          { type: "host-file", path: "/payload/kexec-tools.deb", source: await kexecTools(place) },
          ...inBoot(1, next(second, [entry, ...inBoot(2, next(third))])),
        ],
        {
          onConsole: (part) => {
            log += part;
          },
        },
      );
      await expect(ended).rejects.toThrow("QEMU ended with 0");
      expect(log).toContain("aegis-kexec: cannot open /nowhere: no such file");
      expect(log).toMatch(/refused unit: .*ActiveState=inactive/);
      expect(log.match(/^aegis-kexec \S+ \(takes the options of kexec-tools/gm)).toHaveLength(3);
      expect(log).toContain("undone: all");
      const [first = "", other = ""] = [
        ...log.matchAll(/\njournal of the \w+\r?\n([\s\S]*?)\nend of the journal/g),
      ].map(([, lines]) => lines);
      // By the unit it is systemd that jumps, in its own last moments
      expect(first).toMatch(
        /aegis-kexec(\[\d+\])?: loaded: \/\S+\/vmlinuz-1, release \S+, command line: no_timer_check .* by-hand/,
      );
      expect(other).toMatch(
        /aegis-kexec(\[\d+\])?: handing over to \/\S+\/vmlinuz-2, release \S+, command line: .* by-entry/,
      );
    },
  );
}
