/** From power-on to the newest good generation: one file as the first process, and disks that nobody has mounted. */
import { expect } from "bun:test";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unique } from "./lib/aegis.ts";
import {
  bareArchive,
  consoleOfFailure,
  disk,
  emptyDisk,
  ext4Store,
  fillDisks,
  generation,
  startPreboot,
} from "./lib/stores.ts";
import { vmTest } from "./lib/suite.ts";

const first = "debian-6.12-full";
const next = "shared-x86_64";
const needs = [first, next, "tool:depmod", "tool:mke2fs"] as const;

vmTest(
  "boots the newest generation from a disk on NVMe, by its label, of xfs",
  { needs: [...needs, "tool:mkfs.xfs"] },
  async () => {
    const token = unique();
    const image = emptyDisk("xfs");
    await fillDisks([["xfs", image]], {
      "7+3": generation({ generation: 7, name: next, token }),
      "6": generation({ generation: 6, name: next, token: "older" }),
    });
    await using guest = await startPreboot(first, {
      initramfs: await bareArchive(first),
      words: "LABEL=XFS:/generations",
      disks: disk("nvme", image),
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.announcement.cmdline).toMatch(
      /gen=7 aegis_kexec\.from=UUID=[0-9a-f-]+:\/generations\/7$/,
    );
  },
);

vmTest(
  "passes over what is tampered with, cut, below the floor, unsigned or used up, and says why",
  { needs },
  async () => {
    const token = unique();
    const made = (number: number, more = {}) =>
      generation({ generation: number, name: next, token: "wrong", ...more });
    const image = ext4Store(
      {
        "19": made(19, {
          damage: (folder: string) => writeFileSync(join(folder, "vmlinuz"), "x".repeat(100)),
        }),
        "18": made(18, { isSigned: false }),
        "17": made(17, {
          damage: (folder: string) => truncateSync(join(folder, "boot.json"), 100),
        }),
        "16+0-3": made(16),
        "15+1": generation({ generation: 15, name: next, token }),
        "14": made(14),
      },
      128,
    );
    await using guest = await startPreboot(first, {
      initramfs: await bareArchive(first, { policy: { minGeneration: 15 } }),
      words: "LABEL=STORE:/generations",
      disks: disk("virtio", image),
    });
    expect(guest.announcement).toMatchObject({ token });
    const log = guest.serialLog();
    expect(log).toMatch(/generation 19 \(19\) is passed over: .*vmlinuz/);
    expect(log).toMatch(/generation 18 \(18\) is passed over: .*no signature/);
    expect(log).toMatch(/generation 17 is passed over: .*boot\.json is not a manifest/);
    expect(log).toContain("generation 16 (16+0-3) is passed over: it has no tries left");
  },
);

vmTest(
  "reboots through firmware after 10 s where nothing verifies, or no disk is there",
  { needs },
  async () => {
    const image = ext4Store({
      "2": generation({ generation: 2, name: next, token: "wrong", isSigned: false }),
      "1": generation({ generation: 1, name: next, token: "wrong" }),
    });
    const initramfs = await bareArchive(first, { policy: { minGeneration: 2 } });
    const bad = await consoleOfFailure(
      startPreboot(first, {
        initramfs,
        words: "LABEL=STORE:/generations",
        disks: disk("ahci", image),
      }),
    );
    expect(bad).toContain("none of its 2 can be taken");
    expect(bad).toContain("rebooting through firmware in 10 s");
    expect(bad).toContain("reboot: Restarting system");
    const none = await consoleOfFailure(
      startPreboot(first, {
        initramfs,
        words: "LABEL=NONE:/generations --wait 3",
        disks: disk("usb", image),
      }),
    );
    expect(none).toContain("there is no such disk, and none came within 3 s");
    expect(none).toMatch(/seen: sda: ext4 LABEL=STORE UUID=/);
    expect(none).toContain("reboot: Restarting system");
  },
);
