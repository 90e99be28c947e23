/** Menus that the real generators write: GRUB's without a next entry, U-Boot's, and boot entries. */
import { expect } from "bun:test";
import { binaryFor } from "../lib/aegis.ts";
import { copyOf, diskGuest, mountSystem, readDisk } from "../lib/disk.ts";
import { startGuest } from "../lib/guest.ts";
import { guestInitramfs, text } from "../lib/initramfs.ts";
import { installedNeeds, installGrub } from "../lib/installed.ts";
import { kernel } from "../lib/kernels.ts";
import { vmTest } from "../lib/suite.ts";
import { installedImage } from "../lib/systemd-image.ts";

interface Entry {
  readonly id: string;
  readonly title: string;
  readonly kernel: string;
  readonly initrds: readonly string[];
  readonly cmdline: string;
  readonly default: boolean;
  readonly why: string | null;
  readonly problem: string | null;
  readonly from: string;
}

vmTest(
  "Debian's disk boots to its login by the menu of update-grub, with no other option",
  { needs: installedNeeds, timeout: 900 },
  async () => {
    const image = copyOf(installedImage);
    await using guest = await diskGuest("debian-6.12", image);
    await mountSystem(guest);
    await installGrub(guest);
    await guest.check("setsid sh -c 'sleep 1; aegis-kexec boot /mnt/boot >/dev/ttyS0 2>&1' &");
    await guest.awaitConsole(/\blogin: /, 600);
    expect(guest.serialLog()).toMatch(/Command line: root=\S+ ro console=ttyS0 panic=-1/);
    await guest.stop();
    expect(readDisk(image, "/boot/grub/grub.cfg")).toContain("gnulinux-simple-");
  },
);

vmTest(
  "u-boot-update and kernel-install write menus that are read as they mean them",
  { needs: installedNeeds, timeout: 600 },
  async () => {
    const image = copyOf(installedImage);
    await using guest = await diskGuest("debian-6.12", image);
    await mountSystem(guest);
    const entries = async (): Promise<readonly Entry[]> => {
      const { stdout } = await guest.run("aegis-kexec inspect /mnt/boot --json", { timeout: 120 });
      return (JSON.parse(stdout) as { entries: readonly Entry[] }).entries;
    };
    const release = (await guest.check("ls /mnt/lib/modules")).trim();

    await guest.check(
      "printf 'U_BOOT_ROOT=root=/dev/vda\\nU_BOOT_PARAMETERS=\"ro quiet\"\\n' >/mnt/etc/default/u-boot; chroot /mnt u-boot-update",
      { timeout: 120 },
    );
    const uBoot = await entries();
    expect(uBoot.map(({ id }) => id)).toEqual(["l0", "l0r"]);
    expect(uBoot[0]).toMatchObject({
      title: expect.stringContaining(`Debian GNU/Linux 12 (bookworm) ${release}`),
      kernel: `/boot/vmlinuz-${release}`,
      initrds: [`/boot/initrd.img-${release}`],
      cmdline: "root=/dev/vda ro quiet",
      default: true,
      why: "DEFAULT l0",
      problem: null,
    });

    await guest.check(
      [
        "mkdir -p /mnt/etc/kernel /mnt/boot/loader/entries",
        "echo 'layout=bls' >/mnt/etc/kernel/install.conf",
        "echo 'root=/dev/vda ro console=ttyS0' >/mnt/etc/kernel/cmdline",
        "echo debian >/mnt/etc/kernel/entry-token; mkdir -p /mnt/boot/debian",
        "[ -s /mnt/etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/mnt/etc/machine-id",
        `chroot /mnt env BOOT_ROOT=/boot kernel-install add ${release} /boot/vmlinuz-${release} /boot/initrd.img-${release}`,
        `chroot /mnt env BOOT_ROOT=/boot kernel-install add ${release}-old /boot/vmlinuz-${release} /boot/initrd.img-${release}`,
        "printf 'timeout 3\\ndefault *-old.conf\\n' >/mnt/boot/loader/loader.conf",
      ].join("\n"),
      { timeout: 240 },
    );
    const installed = await entries();
    expect(installed.map(({ id }) => id).sort()).toEqual(
      [`debian-${release}-old.conf`, `debian-${release}.conf`].sort(),
    );
    expect(installed.find((entry) => entry.default)).toMatchObject({
      id: `debian-${release}-old.conf`,
      why: "default in loader.conf",
      cmdline: expect.stringContaining("root=/dev/vda ro console=ttyS0"),
      problem: null,
    });
  },
);

vmTest(
  "inspecting a menu of 1,000 entries costs at most 12 times the instructions of 100",
  { needs: ["shared-x86_64", "tool:mke2fs"], timeout: 600 },
  async () => {
    const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);
    const entry = (number: number) =>
      `title T ${number}\nversion ${number}\nlinux /vmlinuz\ninitrd /initrd\noptions root=/dev/${number}\n`;
    const grub = (number: number) =>
      `menuentry 'T ${number}' --id e${number} {\n search --fs-uuid --set=root 1-${number % 3}\n linux /vmlinuz root=/dev/${number}\n initrd /initrd\n}\n`;
    const label = (number: number) =>
      `label l${number}\n menu label T ${number}\n linux /vmlinuz\n initrd /initrd\n append root=/dev/${number}\n`;
    const kinds: Readonly<Record<string, (count: number) => readonly [string, string][]>> = {
      entries: (count) => numbers(count).map((one) => [`loader/entries/${one}.conf`, entry(one)]),
      grub: (count) => [["grub/grub.cfg", numbers(count).map(grub).join("")]],
      syslinux: (count) => [["syslinux/syslinux.cfg", numbers(count).map(label).join("")]],
      pairs: (count) =>
        numbers(count).flatMap((one): [string, string][] => [
          [`vmlinuz-6.${one}`, "kernel"],
          [`initrd.img-6.${one}`, "archive"],
        ]),
    };
    const files = Object.entries(kinds).flatMap(([kind, make]) =>
      [100, 1000].flatMap((count) =>
        make(count).map(([path, content]) => text(`/menus/${kind}-${count}/${path}`, content)),
      ),
    );
    await using guest = await startGuest({
      kernel: kernel("shared-x86_64"),
      initramfs: guestInitramfs({
        arch: "x86_64",
        programs: [{ path: "/sbin/aegis-kexec", source: await binaryFor("x86_64") }],
        entries: files,
      }),
      // The guest's clock counts instructions as nanoseconds.
      icount: "shift=0,sleep=off",
      memory: 1024,
    });
    /** Instructions, by /proc/uptime: in steps of ten million. */
    const cost = async (folder: string): Promise<number> => {
      const command = `aegis-kexec inspect ${folder} --json >/tmp/out 2>/dev/null`;
      const output = await guest.check(
        `cat /proc/uptime; ${command}; cat /proc/uptime; grep -o '"id":' /tmp/out | wc -l`,
        { timeout: 300 },
      );
      const [before = "", after = "", entries = ""] = output.split("\n");
      expect(Number(entries)).toBe(Number(folder.replace(/.*-/, "")));
      return Number.parseFloat(after) - Number.parseFloat(before);
    };
    for (const kind of Object.keys(kinds)) {
      const [few, many] = [await cost(`/menus/${kind}-100`), await cost(`/menus/${kind}-1000`)];
      expect([kind, many > few, many <= 12 * few]).toEqual([kind, true, true]);
    }
  },
);
