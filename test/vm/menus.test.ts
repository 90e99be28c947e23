/** Boot menus in a machine: Debian's own disk, as people have it, and an entry that is counted. */
import { expect } from "bun:test";
import { binaryFor, initrd, unique, vmlinuz } from "./lib/aegis.ts";
import { copyOf, diskGuest, diskOf, mountSystem, readDisk } from "./lib/disk.ts";
import { guestInitramfs } from "./lib/initramfs.ts";
import { installedNeeds, installGrub } from "./lib/installed.ts";
import { kernel } from "./lib/kernels.ts";
import { vmTest } from "./lib/suite.ts";
import { installedImage } from "./lib/systemd-image.ts";

const first = "debian-6.12";

vmTest(
  "Debian's disk boots to its login by its own menu, and takes GRUB's next entry once",
  { needs: installedNeeds, timeout: 900 },
  async () => {
    const image = copyOf(installedImage);
    await using guest = await diskGuest(first, image);
    await mountSystem(guest);
    await installGrub(guest);
    const list = async () => {
      const { entries } = JSON.parse(
        (await guest.run("aegis-kexec inspect /mnt/boot --json", { timeout: 120 })).stdout,
      );
      return entries as { id: string; title: string; default: boolean; why: string | null }[];
    };
    const before = await list();
    expect(before.map(({ id }) => id.replace(/[0-9a-f-]{36}$/, "UUID"))).toEqual([
      "gnulinux-simple-UUID",
      expect.stringMatching(/^gnulinux-advanced-.*>gnulinux-6\.1.*-advanced-UUID$/),
      expect.stringMatching(/^gnulinux-advanced-.*>gnulinux-6\.1.*-recovery-UUID$/),
    ]);
    expect(before.map((entry) => entry.default)).toEqual([true, false, false]);
    await guest.check("chroot /mnt grub-set-default '1>1'");
    expect((await list())[2]).toMatchObject({ default: true, why: "saved_entry in grubenv" });
    await guest.check("chroot /mnt grub-reboot 1");
    expect((await list())[1]).toMatchObject({ default: true, why: "next_entry in grubenv" });

    await guest.check(
      "setsid sh -c 'sleep 1; aegis-kexec boot /mnt/boot --verbose >/dev/ttyS0 2>&1' &",
    );
    await guest.awaitConsole(/\blogin: /, 600);
    const log = guest.serialLog();
    expect(log).toMatch(/menu entry: gnulinux-advanced-\S*>gnulinux-6\.1\S*-advanced-/);
    expect(log).toMatch(/Command line: root=\S+ ro console=ttyS0 panic=-1/);
    await guest.stop();
    const environment = readDisk(image, "/boot/grub/grubenv");
    expect(environment).toContain("next_entry=\n");
    expect(environment).toContain("saved_entry=1>1\n");
    expect(environment).toHaveLength(1024);
  },
);

vmTest(
  "a counted entry counts down, falls to the next when it is used up, and bless ends it",
  { needs: [first, "tool:mke2fs", "tool:debugfs"], timeout: 600 },
  async () => {
    const token = unique();
    const next = guestInitramfs({
      arch: "x86_64",
      token,
      modules: { kernel: kernel(first), names: ["virtio_pci", "virtio_blk", "ext4"] },
      programs: [
        {
          path: "/sbin/aegis-kexec",
          source: await binaryFor("x86_64"),
        },
      ],
    });
    const entry = (word: string) =>
      `title ${word}\nversion ${word === "new" ? 2 : 1}\nsort-key a\nlinux ${vmlinuz}\ninitrd ${initrd}\noptions console=ttyS0 panic=-1 ${word}\n`;
    const image = diskOf(
      { "loader/entries/new+1.conf": entry("new"), "loader/entries/old.conf": entry("old") },
      { [vmlinuz.slice(1)]: kernel(first).path, [initrd.slice(1)]: next },
      "384M",
    );
    await using guest = await diskGuest(first, image);
    const mount = "mkdir -p /mnt; mount -t ext4 /dev/vda /mnt";
    const boot = `${mount}; aegis-kexec boot /mnt`;
    const entries = () => guest.check("ls /mnt/loader/entries");

    const up = await guest.handoff(boot);
    expect(up.token).toBe(token);
    expect(up.cmdline).toMatch(
      /^console=ttyS0 panic=-1 new aegis_kexec\.from=UUID=[0-9a-f-]{36}:\/loader\/entries\/new\.conf$/,
    );
    await guest.check(mount);
    expect(await entries()).toBe("new+0-1.conf\nold.conf\n");
    // Nobody blessed it: the other one is next.
    await guest.check("umount /mnt");
    expect(await guest.handoff(boot)).toMatchObject({
      token,
      cmdline: "console=ttyS0 panic=-1 old",
    });
    await guest.check(mount);
    expect(await guest.check("aegis-kexec bless")).toContain("nothing that is counted");
    expect(await entries()).toBe("new+0-1.conf\nold.conf\n");
    // Given one more try, it is blessed by what it has started.
    await guest.check("mv /mnt/loader/entries/new+0-1.conf /mnt/loader/entries/new+2-1.conf");
    await guest.check("umount /mnt");
    expect((await guest.handoff(boot)).cmdline).toContain(" new ");
    await guest.check(mount);
    expect(await guest.check("aegis-kexec bless")).toContain(
      "/mnt/loader/entries/new.conf is good",
    );
    expect(await entries()).toBe("new.conf\nold.conf\n");
  },
);
