/** What a load costs whose files the running kernel checks by fs-verity, beside a plain one, in one run. */
import { expect } from "bun:test";
import { copyFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { startGuest } from "../vm/lib/guest.ts";
import { temporaryFolder, temporaryPath } from "../vm/lib/host.ts";
import { guestInitramfs, text } from "../vm/lib/initramfs.ts";
import { type KernelName, kernel } from "../vm/lib/kernels.ts";
import { fsverity } from "../vm/lib/programs.ts";
import { vmTest } from "../vm/lib/suite.ts";
import { archive } from "./files.ts";
import type { Sample } from "./instrument.ts";
import { guestScript, measureCommand } from "./measure.ts";
import { cmdline } from "./works.ts";

const name: KernelName = "debian-6.12";
const megabytes = 60;
/** Most of what is above 1 is spent on loading the modules that verify, each of them once: 1.24 when this was written. */
const ratioAllowed = 1.25;

function run(script: string, folder: string): void {
  const child = Bun.spawnSync(["sh", "-ec", script], { cwd: folder });
  if (!child.success) throw new Error(`${script}\n${child.stdout}${child.stderr}`);
}

/** A disk with the generation, and the same kernel and archive once more, which are not sealed. */
async function disk(): Promise<string> {
  const folder = temporaryFolder("verity");
  copyFileSync(kernel(name).path, join(folder, "vmlinuz"));
  writeFileSync(join(folder, "initrd.img"), archive(1, megabytes));
  const binary = await ensureBuilt("linux-x64");
  run(
    `openssl genpkey -algorithm ed25519 -out ../org.pem; openssl pkey -in ../org.pem -pubout -out org.pub; ` +
      `${binary} manifest vmlinuz --initrd initrd.img --cmdline "${cmdline}" --generation 1 --verity >boot.json; ` +
      "openssl pkeyutl -sign -rawin -inkey ../org.pem -in boot.json -out boot.json.sig; " +
      "mkdir plain; cp vmlinuz initrd.img plain",
    folder,
  );
  const image = temporaryPath("verity.img");
  run(`truncate -s 260M ${image}; mke2fs -q -t ext4 -b 4096 -O verity -d . ${image}`, folder);
  return image;
}

/** The one in the middle of three; the first run is cold. */
function middle(samples: readonly Sample[], of: "outside" | "call"): number {
  const [, ...warm] = samples.map((sample) => sample[of]);
  return warm.sort((one, other) => one - other)[1] ?? Number.NaN;
}

vmTest(
  `${megabytes} MiB verified by fs-verity cost little more than the plain load, outside the call`,
  {
    needs: [name, "tool:openssl", "tool:mke2fs", "tool:fsverity", "package:fsverity:amd64"],
    timeout: 900,
  },
  async () => {
    const binary = await ensureBuilt("linux-x64");
    await using guest = await startGuest({
      kernel: kernel(name),
      initramfs: guestInitramfs({
        arch: "x86_64",
        token: "verity",
        modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk"] },
        programs: [{ path: "/sbin/aegis-kexec", source: binary }, fsverity()],
        entries: [
          guestScript("measure.sh"),
          guestScript("today.sh"),
          text("/bench/cmdline", `${cmdline}\n`),
        ],
      }),
      memory: 3072,
      icount: "shift=0,sleep=off",
      cmdline: "quiet rootfstype=ramfs",
      bootTimeout: 300,
      extraQemuArgs: [
        ...["-drive", `file=${await disk()},if=none,format=raw,id=store`],
        ...["-device", "virtio-blk-pci,drive=store"],
      ],
    });
    await guest.check(
      ". /bench/measure.sh; prepare; mkdir /mnt; mount -t ext4 /dev/vda /mnt; " +
        "for file in vmlinuz initrd.img; do fsverity enable /mnt/$file; done; sync; cat /mnt/*.img /mnt/plain/* >/dev/null; sleep 20",
      { timeout: 600 },
    );
    const ways = {
      plain:
        'aegis-kexec load /mnt/plain/vmlinuz --initrd /mnt/plain/initrd.img --cmdline "$cmdline"',
      verity: "aegis-kexec load /mnt/boot.json --trust /mnt/org.pub",
    };
    const samples: Record<keyof typeof ways, Sample[]> = { plain: [], verity: [] };
    for (let turn = 0; turn < 4; turn++) {
      for (const way of ["plain", "verity"] as const) {
        await guest.check("aegis-kexec unload");
        samples[way].push(await measureCommand(guest, ways[way]));
        expect(await guest.check("cat /sys/kernel/kexec_loaded")).toBe("1\n");
      }
    }
    const seen = await guest.check(`${ways.verity} --verbose 2>&1`);
    for (const file of ["vmlinuz", "initrd.img"]) {
      expect(seen).toContain(`the kernel checks /mnt/${file} by fs-verity`);
    }
    const [outside, call] = (["outside", "call"] as const).map((of) => ({
      plain: middle(samples.plain, of),
      verity: middle(samples.verity, of),
    }));
    if (outside === undefined || call === undefined) throw new Error("nothing was measured");
    const ratio = outside.verity / outside.plain;
    const millions = (value: number) => (value / 1e6).toFixed(1);
    console.log(
      `millions of instructions, plain and by fs-verity: outside the call ${millions(outside.plain)} and ${millions(outside.verity)} ` +
        `(${ratio.toFixed(3)} ×), inside ${millions(call.plain)} and ${millions(call.verity)} (${(call.verity / call.plain).toFixed(3)} ×)`,
    );
    expect(ratio).toBeLessThanOrEqual(ratioAllowed);
  },
);
