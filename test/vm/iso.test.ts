/** A live system out of an ISO image that is a file on a disk, signed as a whole. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { bytesOf } from "../../src/image/bytes.ts";
import { readIso9660 } from "../../src/image/iso9660.ts";
import { IsoTree } from "../../src/image/iso9660-tree.ts";
import type { Guest } from "./lib/guest.ts";
import { kernel } from "./lib/kernels.ts";
import { printedCommand } from "./lib/readme.ts";
import { vmTest } from "./lib/suite.ts";
import { liveKernel, liveNeeds, patience, preboot } from "./live/boot.ts";
import { diskWith, liveImage, minisigned } from "./live/image.ts";

/** Bytes of the image by what they belong to. */
function placesIn(image: string): Readonly<Record<string, number>> {
  const bytes = readFileSync(image);
  const source = bytesOf(bytes);
  const volume = readIso9660(source);
  if (volume?.kind !== "iso9660") throw new Error("no ISO image");
  const tree = new IsoTree(source, volume, image);
  const startOf = (path: string) => tree.find(path)?.extents[0]?.offset ?? 0;
  return {
    kernel: startOf("/live/vmlinuz") + 5000,
    archive: startOf("/live/initrd.img") + 5000,
    // The v of vmlinuz, and the m of menuentry: what it breaks is not what counts.
    menu: bytes.indexOf("vmlinuz boot=live"),
    "menu's first word": startOf("/boot/grub/grub.cfg"),
    "directory record": bytes.indexOf("vmlinuz", volume.root.offset),
    "volume label": 16 * 2048 + 40,
    "live root, which is not read here": startOf("/live/filesystem.squashfs") + 100_000,
    "last byte": bytes.length - 1,
  };
}

async function expectRefused(guest: Guest, what: string, offset: number): Promise<void> {
  const byte = `dd if=/mnt/isos/debian-live.iso bs=1 skip=${offset} count=1 2>/dev/null`;
  const write = `dd of=/mnt/isos/debian-live.iso bs=1 seek=${offset} conv=notrunc 2>/dev/null`;
  await guest.check(`${byte} >/tmp/byte; printf '\\377' | ${write}`);
  const load = "aegis-kexec load /mnt/isos/debian-live.iso --trust /stick.pub --json";
  const { exit, stdout } = await guest.run(load, { timeout: 120 });
  expect([what, exit, JSON.parse(stdout).error.code]).toEqual([what, 5, "bad-signature"]);
  expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("0\n");
  await guest.check(`${write} </tmp/byte`);
}

const needs = [...liveNeeds, "tool:minisign"] as const;

vmTest(
  "live-boot finds the image on an ext4, and a changed byte anywhere in it is refused",
  { needs, timeout: 2 * patience },
  async () => {
    const token = randomUUID();
    const image = await liveImage("live-boot", kernel(liveKernel), token);
    const { publicKey, signature } = minisigned(image);
    const disk = diskWith("ext4", {
      "debian-live.iso": image,
      "debian-live.iso.minisig": signature,
    });
    await using guest = await preboot("ext4", disk, [
      { type: "host-file", path: "/stick.pub", source: publicKey },
    ]);
    for (const [what, offset] of Object.entries(placesIn(image))) {
      await expectRefused(guest, what, offset);
    }
    expect((await guest.run("ls /dev/loop0")).exit).not.toBe(0);
    const up = await guest.handoff(`cd /; ${printedCommand("iso")}`, { timeout: patience });
    expect(up).toMatchObject({ token });
    expect(up.cmdline).toContain(" findiso=/isos/debian-live.iso");
    expect(await guest.check("mount")).toContain("/run/live/findiso type ext4");
  },
);
