/** Debian on a LUKS2 root comes up without a question, by the key that `--luks` passes on. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import { scene, vmlinuz } from "../lib/aegis.ts";
import { luksRoot } from "../lib/debian-root.ts";
import { type KernelName, kernel } from "../lib/kernels.ts";
import { type LuksKind, luksDisk, luksInitramfs, luksName, luksUuid } from "../lib/luks-system.ts";
import { copiesIn, makeSecret, ownersOf, secretOf } from "../lib/memory-search.ts";
import { vmTest } from "../lib/suite.ts";

const first: KernelName = "debian-6.12";
const needs = [first, "tool:mke2fs", `file:${luksRoot}`, "package:busybox-static:amd64"] as const;
const MEMORY = 1280;
const archive = "/boot/debian.img";

/** The name that the root has, the key's place, and the words that the program adds. */
const expected: Readonly<Record<LuksKind, readonly [name: string, place: string, words: string]>> =
  {
    "initramfs-tools": [
      luksName,
      `/etc/cryptsetup-keys.d/${luksName}.key`,
      `cryptopts=target=${luksName},source=UUID=${luksUuid},key=/etc/cryptsetup-keys.d/${luksName}.key,luks,initramfs`,
    ],
    dracut: [
      `luks-${luksUuid}`,
      `/etc/cryptsetup-keys.d/luks-${luksUuid}.key`,
      `rd.luks.uuid=${luksUuid}`,
    ],
  };

/** One test of it. */
export function opensLuksRoot(kind: LuksKind): void {
  vmTest(`a LUKS root is opened by an initramfs of ${kind}`, { needs, timeout: 900 }, async () => {
    const token = randomUUID();
    const seed = randomUUID();
    const disk = await luksDisk(kernel(first), token, secretOf(seed));
    const [name, place, words] = expected[kind];
    const given = scene({
      first,
      entries: [
        {
          type: "host-file",
          path: archive,
          source: await luksInitramfs(kind, kernel(first)),
        },
      ],
      guest: {
        memory: MEMORY,
        // What inspect leaves behind must not be counted
        cmdline: "init_on_free=1",
        extraQemuArgs: [
          ...["-drive", `file=${disk},if=none,format=raw,id=root`],
          ...["-device", "virtio-blk-pci,drive=root"],
        ],
      },
    });
    await using guest = await given.start();
    const key = await makeSecret(guest, seed);
    const line = `no_timer_check console=ttyS0 panic=-1 init_on_free=1 root=/dev/mapper/${name} rw systemd.mask=serial-getty@ttyS0.service`;
    const load = `aegis-kexec load ${vmlinuz} --initrd ${archive} --cmdline "${line}" --luks ${luksUuid}=/keys/etc/key`;
    const seen = JSON.parse(await guest.check(`${load} --json`));
    expect(seen.luks).toEqual([
      {
        uuid: luksUuid,
        framework: kind === "dracut" ? "systemd" : kind,
        destination: place,
        size: 32,
        mode: "0400",
      },
    ]);
    expect(seen.cmdline).toBe(`${line} ${words}`);
    // As for --secret: the source's own page, and the segment that waits for the jump
    const loaded = await copiesIn(guest, key, MEMORY);
    expect(`${loaded.length}${await ownersOf(guest, loaded.slice(2))}`).toBe("2");

    const up = await guest.handoff("aegis-kexec exec", { timeout: 480 });
    expect(up.token).toBe(token);
    expect(await guest.check("cut -d ' ' -f 1,2 /proc/mounts | grep ' /$'")).toContain("/dev/");
    expect(await guest.check(`ls /dev/mapper; cat /proc/1/comm`)).toContain(name);
    const after = await copiesIn(guest, key, MEMORY);
    console.log(
      `${kind}: ${loaded.length} when loaded, ${after.length} once the root is up${await ownersOf(guest, after)}`,
    );
    expect(after.length).toBeLessThanOrEqual(2);
  });
}
