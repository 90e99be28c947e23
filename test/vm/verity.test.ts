/** Files that the kernel checks by fs-verity are loaded as they are, and no others. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  copyFileSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { scene } from "./lib/aegis.ts";
import { temporaryFolder, temporaryPath } from "./lib/host.ts";
import { guestInitramfs } from "./lib/initramfs.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { bootAsPredicted, loadAsPredicted, predict } from "./lib/prediction.ts";
import { fsverity } from "./lib/programs.ts";
import { vmTest } from "./lib/suite.ts";

const first: KernelName = "debian-6.12";
const needs = [
  first,
  "tool:openssl",
  "tool:mke2fs",
  "tool:mkfs.btrfs",
  "tool:fsverity",
  "package:fsverity:amd64",
] as const;

/** How a disk is made of a folder, and the modules that it takes. */
const fileSystems = {
  ext4: {
    make: "mke2fs -q -t ext4 -b 4096 -O verity -d .",
    modules: ["virtio_pci", "virtio_blk"],
  },
  btrfs: {
    make: "mkfs.btrfs -q --rootdir .",
    modules: ["virtio_pci", "virtio_blk", "btrfs"],
  },
} as const;

function run(script: string, folder: string): string {
  const child = Bun.spawnSync(["sh", "-ec", script], { cwd: folder });
  if (!child.success) throw new Error(`${script}\n${child.stdout}${child.stderr}`);
  return child.stdout.toString();
}

/** A generation, signed, whose manifest names fs-verity digests; `other` names one that is another file's. */
async function generation(token: string): Promise<string> {
  const folder = temporaryFolder("generation");
  copyFileSync(kernel(first).path, join(folder, "vmlinuz"));
  copyFileSync(guestInitramfs({ arch: "x86_64", token }), join(folder, "initrd.img"));
  const binary = await ensureBuilt("linux-x64");
  const words = "console=ttyS0 quiet panic=-1";
  run(
    `openssl genpkey -algorithm ed25519 -out ../org.pem; openssl pkey -in ../org.pem -pubout -out org.pub; ` +
      `${binary} manifest vmlinuz --initrd initrd.img --cmdline "${words}" --generation 1 --verity >boot.json`,
    folder,
  );
  const said = run("fsverity digest --compact initrd.img", folder).trim();
  const manifest = readFileSync(join(folder, "boot.json"), "utf8");
  expect(manifest).toContain(`"verity": "sha256:${said}"`);
  writeFileSync(join(folder, "other.json"), manifest.replace(said, "0".repeat(64)));
  for (const name of ["boot.json", "other.json"]) {
    run(`openssl pkeyutl -sign -rawin -inkey ../org.pem -in ${name} -out ${name}.sig`, folder);
  }
  return folder;
}

for (const [type, { make, modules }] of Object.entries(fileSystems))
  vmTest(
    `on ${type} a right fs-verity digest needs no copy, and a wrong one or a damaged page is refused`,
    { needs, timeout: 600 },
    async () => {
      const token = randomUUID();
      const folder = await generation(token);
      const image = temporaryPath("verity.img");
      const file = openSync(image, "w");
      ftruncateSync(file, 256 << 20);
      closeSync(file);
      run(`${make} ${image}`, folder);
      // The place of a page that nothing else has: in the middle of the busybox that is in the archive
      const archive = readFileSync(join(folder, "initrd.img"));
      const page = archive.subarray(1 << 20, (1 << 20) + 4096);
      const place = readFileSync(image).indexOf(page) + 77;
      expect(place).toBeGreaterThan(77);

      const given = scene({
        first,
        initramfs: {
          modules: { kernel: kernel(first), names: modules },
          programs: [fsverity()],
        },
        guest: {
          memory: 1024,
          extraQemuArgs: [
            ...["-drive", `file=${image},if=none,format=raw,id=store`],
            ...["-device", "virtio-blk-pci,drive=store"],
          ],
        },
      });
      await using guest = await given.start();
      await guest.check(`mkdir /mnt; mount -t ${type} /dev/vda /mnt`);
      const words = "/mnt/boot.json --trust /mnt/org.pub";
      const load = `aegis-kexec load ${words}`;

      // Without fs-verity on the disk the SHA-256 counts, over a copy
      const beforeCopy = await predict(guest, words);
      const copied = await guest.run(`${load} --verbose`);
      beforeCopy.holds(copied.exit);
      expect([copied.exit, copied.stderr.includes("by fs-verity")]).toEqual([0, false]);

      await guest.check("for f in vmlinuz initrd.img; do fsverity enable /mnt/$f; done");
      const beforeCheck = await predict(guest, words);
      const checked = await guest.run(`${load} --verbose`);
      beforeCheck.holds(checked.exit);
      expect(checked.exit).toBe(0);
      for (const name of ["vmlinuz", "initrd.img"]) {
        expect(checked.stderr).toContain(`the kernel checks /mnt/${name} by fs-verity`);
      }
      // The most that lay in memory files while it ran: nothing of the generation
      const shared = "awk '/^Shmem:/ {print $2}' /proc/meminfo";
      const before = Number(await guest.check(shared));
      const most = await guest.check(
        `${load} & p=$!; m=0; while kill -0 $p 2>/dev/null; do s=$(${shared}); [ $s -gt $m ] && m=$s; usleep 20000; done; wait $p; echo $m`,
      );
      expect(Number(most.trim().split("\n").at(-1)) - before).toBeLessThan(2048);

      // The manifest's digest is another file's
      const other = await loadAsPredicted(guest, "/mnt/other.json --trust /mnt/org.pub");
      expect([other.exit, other.code]).toEqual([5, "digest-mismatch"]);
      const seen = await guest.run("aegis-kexec inspect /mnt/other.json --trust /mnt/org.pub");
      expect(seen.exit).toBe(5);

      // A byte of the raw disk: the running kernel's own read fails
      const at = `/dev/vda bs=1 count=1 conv=notrunc`;
      const again = `echo 3 >/proc/sys/vm/drop_caches; mount -t ${type} /dev/vda /mnt`;
      await guest.check("aegis-kexec unload; umount /mnt");
      await guest.check(
        `dd if=${at} skip=${place} of=/byte 2>/dev/null; tr '\\000-\\377' '\\001-\\377\\000' </byte | dd of=${at} seek=${place} 2>/dev/null; sync; ${again}`,
      );
      const failed = await guest.run(load);
      expect(failed.exit).toBe(12);
      expect((await guest.check("cat /sys/kernel/kexec_loaded")).trim()).toBe("0");

      await guest.check(
        `umount /mnt; dd if=/byte of=${at} seek=${place} 2>/dev/null; sync; ${again}`,
      );
      const next = await bootAsPredicted(guest, words);
      expect(next.token).toBe(token);
    },
  );
