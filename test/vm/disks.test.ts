/** SOURCE on disks that nobody has mounted: each file system by its label, and what is refused. */
import { expect } from "bun:test";
import { readFileSync, truncateSync, unlinkSync, writeFileSync } from "node:fs";
import { errorOf, scene, unique } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { temporaryPath } from "./lib/host.ts";
import { type KernelName, kernel } from "./lib/kernels.ts";
import { vmSuite } from "./lib/suite.ts";

const first = "debian-6.12-full" satisfies KernelName;
const next = "shared-x86_64" satisfies KernelName;

/** By label; the tools are the host's. */
const systems = {
  EXT4: { type: "ext4", make: "mkfs.ext4 -q -L EXT4", megabytes: 40 },
  EXT2: { type: "ext2", make: "mkfs.ext2 -q -L EXT2", megabytes: 40 },
  XFS: { type: "xfs", make: "mkfs.xfs -q -L XFS", megabytes: 320 },
  BTRFS: { type: "btrfs", make: "mkfs.btrfs -q -L BTRFS", megabytes: 128 },
  VFAT: { type: "vfat", make: "mkfs.vfat -n VFAT", megabytes: 40 },
  EXFAT: { type: "exfat", make: "mkfs.exfat -L EXFAT", megabytes: 40 },
} as const;

const tools = [
  "mkfs.ext4",
  "mkfs.ext2",
  "mkfs.xfs",
  "mkfs.btrfs",
  "mkfs.vfat",
  "mkfs.exfat",
] as const;
const modules = [
  // The kernel would ask modprobe for the sums that file systems use: there is none here.
  ...["crc32c_generic", "xxhash_generic", "blake2b_generic"],
  ...["loop", "ext4", "xfs", "btrfs", "vfat", "exfat"],
  ...["nls_cp437", "nls_ascii", "nls_iso8859-1", "nls_utf8"],
];

/** An empty file system, which is nearly all zeros, compressed. */
function empty({ make, megabytes }: (typeof systems)[keyof typeof systems]): Uint8Array {
  const path = temporaryPath("disk");
  writeFileSync(path, "");
  truncateSync(path, megabytes << 20);
  const [tool = "", ...words] = make.split(" ");
  const made = Bun.spawnSync([tool, ...words, path]);
  if (!made.success) throw new Error(`${make}: ${made.stderr.toString()}`);
  const packed = Bun.gzipSync(readFileSync(path), { level: 1 });
  unlinkSync(path);
  return packed;
}

function machine() {
  return scene({
    first,
    next,
    entries: Object.entries(systems).map(([label, system]) => ({
      type: "file",
      path: `/disks/${label}.gz`,
      data: empty(system),
    })),
    initramfs: { modules: { kernel: kernel(first), names: modules } },
    guest: { memory: 3072 },
  });
}

/** Loop devices, each with a file system that has kernel and archive in a folder. */
async function makeDisks(guest: Guest): Promise<void> {
  await guest.check("mkdir -p /mnt /images; mount -t tmpfs -o size=2g none /images");
  for (const [index, [label, { type }]] of Object.entries(systems).entries()) {
    const image = `/images/${label}`;
    await guest.check(
      [
        `gunzip -c /disks/${label}.gz >${image}`,
        `losetup /dev/loop${index} ${image}`,
        `mount -t ${type} /dev/loop${index} /mnt`,
        "mkdir -p /mnt/boot && cp /boot/* /mnt/boot/",
        "umount /mnt",
      ].join(" && "),
      { timeout: 120 },
    );
  }
}

let made: ReturnType<typeof machine> | undefined;

vmSuite(
  `disks on ${first}`,
  {
    needs: [first, next, ...tools.map((tool) => `tool:${tool}` as const)],
    timeout: 600,
    start: async () => {
      made = machine();
      const guest = await made.start();
      await makeDisks(guest);
      return guest;
    },
  },
  (test) => {
    const load = (source: string) => `aegis-kexec load ${source} --cmdline x --json`;

    test("each file system is loaded from by its label, and is mounted nowhere afterwards", async (guest) => {
      const before = await guest.check(
        "cat /proc/self/mountinfo; for i in /images/*; do md5sum $i; done",
      );
      for (const label of Object.keys(systems)) {
        const shown = await guest.check(load(`LABEL=${label}:/boot/vmlinuz`), { timeout: 120 });
        expect(JSON.parse(shown)).toMatchObject({
          loaded: true,
          kernel: { path: `LABEL=${label}:/boot/vmlinuz` },
        });
        await guest.check("aegis-kexec unload");
      }
      // Nothing was written, not even the time of the mount.
      expect(
        await guest.check("cat /proc/self/mountinfo; for i in /images/*; do md5sum $i; done"),
      ).toBe(before);
    });

    test("one that is mounted already is used, writable or not", async (guest) => {
      await guest.check("mount -t ext4 /dev/loop0 /mnt");
      const shown = await guest.check(load("LABEL=EXT4:/boot/vmlinuz"), { timeout: 120 });
      expect(JSON.parse(shown)).toMatchObject({ loaded: true });
      await guest.check("aegis-kexec unload; umount /mnt");
    });

    test("a policy lets its types be mounted, and no others", async (guest) => {
      await guest.check(
        `mkdir -p /etc/aegis-kexec; echo '{"trust":["/none.pub"]}' >/etc/aegis-kexec/policy.json`,
      );
      for (const [label, code] of [
        ["XFS", "policy-refused"],
        ["EXFAT", "policy-refused"],
        ["EXT4", "untrusted"],
      ] as const) {
        const { stdout, exit } = await guest.run(
          `aegis-kexec load LABEL=${label}:/boot/vmlinuz --json`,
        );
        expect({ exit, ...errorOf(stdout) }).toMatchObject({ exit: 5, code });
      }
      await guest.check("rm /etc/aegis-kexec/policy.json");
    });

    test("a disk that is not there, and two of one label are refused; links stay on their disk", async (guest) => {
      const refusal = async (words: string) => {
        const { stdout } = await guest.run(`aegis-kexec load ${words} --json`, { timeout: 120 });
        return errorOf(stdout);
      };
      const missing = await refusal("LABEL=NONE:/x --wait 1");
      expect(missing).toMatchObject({ exit: 4, code: "file-not-found" });
      expect(missing["hint"]).toContain("loop0: ext4 LABEL=EXT4");
      expect(await refusal("LABEL=EXT4:/boot/none --wait 1")).toMatchObject({
        message: "cannot open LABEL=EXT4:/boot/none: no such file",
      });
      await guest.check("cp /images/EXT4 /images/COPY && losetup /dev/loop7 /images/COPY");
      const two = await refusal("LABEL=EXT4:/boot/vmlinuz --wait 1");
      expect(two["message"]).toContain("/dev/loop0 (ext4) and /dev/loop7 (ext4)");
      expect(await refusal("/dev/loop7:/boot/none --wait 1")).toMatchObject({ exit: 4 });
      await guest.check("mount -t ext4 /dev/loop7 /mnt; ln -s /boot/vmlinuz /mnt/out; umount /mnt");
      // As for the system that the disk belongs to, a link counts from its root.
      await guest.check("aegis-kexec load /dev/loop7:/out --cmdline x --dry-run");
      await guest.check("losetup -d /dev/loop7; rm /images/COPY");
    });

    test("a store is counted down on its disk, whose journal is replayed for that", async (guest) => {
      for (const [label, index] of [
        ["EXT4", 0],
        ["XFS", 2],
        ["VFAT", 4],
      ] as const) {
        const device = `/dev/loop${index}`;
        const sizes = "$(stat -c %s $d/vmlinuz)";
        const sum = "$(sha256sum $d/vmlinuz | cut -d' ' -f1)";
        const manifest = `{\\"format\\":\\"aegis-kexec/1\\",\\"generation\\":$g,\\"architecture\\":\\"x86_64\\",\\"kernel\\":{\\"path\\":\\"vmlinuz\\",\\"size\\":${sizes},\\"sha256\\":\\"${sum}\\"},\\"initrds\\":[],\\"cmdline\\":\\"x\\"}`;
        await guest.check(
          `mount -t ${label.toLowerCase()} ${device} /mnt; for n in 7+1 6; do g=\${n%+1}; d=/mnt/store/$n; mkdir -p $d; cp /boot/vmlinuz $d/; echo "${manifest}" >$d/boot.json; done; umount /mnt`,
          { timeout: 120 },
        );
        const boot = `aegis-kexec load LABEL=${label}:/store --json`;
        const uses = async () => JSON.parse(await guest.check(boot, { timeout: 120 })).kernel.path;
        expect(await uses()).toBe(`LABEL=${label}:/store/7+1/vmlinuz`);
        expect(await uses()).toBe(`LABEL=${label}:/store/6/vmlinuz`);
        await guest.check("aegis-kexec unload");
        const names = await guest.check(
          `mount -t ${label.toLowerCase()} ${device} /mnt; ls /mnt/store; rm -r /mnt/store; umount /mnt`,
        );
        expect(names).toBe("6\n7+0-1\n");
      }
    });

    /** A generation in /gen. */
    const makeGeneration = (guest: Guest) => {
      const sum = "$(sha256sum vmlinuz | cut -d' ' -f1)";
      const manifest = `{\\"format\\":\\"aegis-kexec/1\\",\\"generation\\":9,\\"architecture\\":\\"x86_64\\",\\"kernel\\":{\\"path\\":\\"vmlinuz\\",\\"size\\":$(stat -c %s vmlinuz),\\"sha256\\":\\"${sum}\\"},\\"initrds\\":[],\\"cmdline\\":\\"x\\"}`;
      return guest.check(
        `mkdir -p /gen && cd /gen && cp /boot/vmlinuz . && echo "${manifest}" >boot.json`,
      );
    };

    test("a generation is stored on a disk, and goes from there to another; neither is mounted", async (guest) => {
      await makeGeneration(guest);
      let source = "/gen/boot.json";
      for (const [index, [label, { type }]] of Object.entries(systems).entries()) {
        const store = `LABEL=${label}:/boot/store`;
        const missing = await guest.run(`aegis-kexec fetch ${source} ${store} --json`);
        expect(errorOf(missing.stdout)).toMatchObject({ exit: 4, code: "file-not-found" });
        await guest.check(
          `mount -t ${type} /dev/loop${index} /mnt && mkdir /mnt/boot/store && umount /mnt`,
        );
        const told = await guest.check(`aegis-kexec fetch ${source} ${store} --json`, {
          timeout: 120,
        });
        expect(JSON.parse(told)).toMatchObject({ stored: true, path: `${store}/9+3` });
        source = store;
      }
      for (const [index, { type }] of Object.values(systems).entries()) {
        await guest.check(
          `mount -t ${type} /dev/loop${index} /mnt && ls -A /mnt/boot/store | grep -qx 9+3 && rm -r /mnt/boot/store && umount /mnt`,
        );
      }
      await guest.check("rm -r /gen");
    });

    test("a full disk leaves a store as it was", async (guest) => {
      await makeGeneration(guest);
      await guest.check(
        "mkdir /small && mount -t tmpfs -o size=3m none /small && echo mine >/small/mine",
      );
      const fetch = async () => {
        const { stdout } = await guest.run(`aegis-kexec fetch /gen/boot.json /small --json`);
        const left = await guest.check("ls -A /small; df -k /small | tail -1 | awk '{print $3}'");
        return { error: errorOf(stdout), left };
      };
      await guest.check("dd if=/dev/zero of=/small/fill bs=1024 count=2048 2>/dev/null");
      const before = await guest.check("ls -A /small; df -k /small | tail -1 | awk '{print $3}'");
      const { error, left } = await fetch();
      expect(error).toMatchObject({ exit: 12, code: "io-error", errno: "ENOSPC" });
      expect(left).toBe(before);
      // Where the file system says that there is room, and there is none: files are limited instead.
      await guest.check(
        "rm /small/fill; umount /small; mount -t tmpfs -o size=64m,nr_inodes=4 none /small; echo mine >/small/mine",
      );
      const other = await fetch();
      expect(other.error).toMatchObject({ exit: 12, errno: "ENOSPC" });
      expect(other.left).toStartWith("mine\n");
      await guest.check(
        "mount -o remount,nr_inodes=100 /small && aegis-kexec fetch /gen/boot.json /small && umount /small && rm -r /gen",
      );
    });

    test("damaged superblocks end in a load or a named error, and never in an oops", async (guest) => {
      await guest.check("cp /images/VFAT /images/BAD");
      for (let round = 0; round < 24; round++) {
        const at = 11 + ((round * 37) % 80);
        await guest.check(
          `cp /images/VFAT /images/BAD; printf '\\x${(round * 11 + 17).toString(16).padStart(2, "0").slice(-2)}' | dd of=/images/BAD bs=1 seek=${at} conv=notrunc 2>/dev/null; losetup /dev/loop7 /images/BAD`,
        );
        const { exit } = await guest.run(
          `aegis-kexec load /dev/loop7:/boot/vmlinuz --cmdline x --wait 0 --dry-run`,
          { timeout: 120 },
        );
        expect([0, 4, 5, 8, 12]).toContain(exit);
        await guest.check("losetup -d /dev/loop7");
      }
      expect(await guest.check("dmesg | grep -c 'Oops\\|BUG:' || true")).toBe("0\n");
    });

    test("a disk that comes late is waited for, by its event", async (guest) => {
      const word = unique();
      await guest.check("losetup -d /dev/loop0");
      const line = `(sleep 4; losetup /dev/loop0 /images/EXT4) & aegis-kexec boot LABEL=EXT4:/boot/vmlinuz --initrd /boot/initrd.img --cmdline "${made?.console} ${word}" --wait 60`;
      const up = await guest.handoff(line);
      expect(up.token).toBe(made?.token ?? "a token");
      expect(up.cmdline).toContain(word);
    });
  },
);
