/** Debian on a LUKS2 root: its initramfs, by either of its programs, and its disk, which a guest makes. */
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inDebian, installModules, luksRoot } from "./debian-root.ts";
import { startGuest } from "./guest.ts";
import { temporaryFolder, temporaryPath } from "./host.ts";
import { guestInitramfs, text } from "./initramfs.ts";
import type { Kernel } from "./kernels.ts";
import { unpackedPackage } from "./packages.ts";

export type LuksKind = "initramfs-tools" | "dracut";

/** The volume's, and its name in Debian's crypttab. */
export const luksUuid = "6a1c1b5e-0f7a-4f3c-9a52-1d0b8c3d2e4f";
export const luksName = "vda_crypt";

const makers: Readonly<Record<LuksKind, (path: string, release: string) => string>> = {
  "initramfs-tools": (path, release) =>
    `echo '${luksName} UUID=${luksUuid} none luks,initramfs' >/etc/crypttab; mkinitramfs -o ${path} ${release}`,
  // Without crypttab: it has the names of volumes only where the host's own root is one
  dracut: (path, release) =>
    `rm -f /etc/crypttab; dracut --force --no-hostonly --zstd --add crypt --add-drivers "virtio_pci virtio_blk ext4" ${path} ${release}`,
};

/** The initramfs, as its own program makes it, once for each kernel. */
export async function luksInitramfs(kind: LuksKind, kernel: Kernel): Promise<string> {
  const { release } = kernel;
  if (release === undefined) throw new Error("the kernel has no modules");
  const name = `/boot/${kind}-${release}.img`;
  const path = join(luksRoot, name);
  if (existsSync(path)) return path;
  await installModules(kernel, luksRoot);
  await inDebian(`${makers[kind](`${name}.new`, release)}; chmod 644 ${name}.new`, luksRoot);
  renameSync(`${path}.new`, path);
  return path;
}

/** What is not needed to come up. */
const left = [
  ...["./lib/modules", "./usr/lib/modules", "./boot", "./var/cache", "./var/lib/apt", "./proc"],
  ...["./var/lib/dpkg/info", "./usr/share/doc", "./usr/share/locale", "./usr/share/man"],
  ...["./usr/share/perl*", "./usr/share/zoneinfo", "./usr/lib/udev/hwdb*", "./usr/share/i18n"],
  ...["./usr/lib/x86_64-linux-gnu/perl*", "./usr/lib/x86_64-linux-gnu/gconv"],
];

/** Starts the agent once systemd runs the machine. */
const unit = `[Unit]
DefaultDependencies=no
After=local-fs.target
[Service]
ExecStart=/.bench/agent
`;

/** Debian's root as ext4, with the agent as a service of its systemd, and a token. */
function rootImage(token: string): string {
  const busybox = unpackedPackage("busybox-static:amd64");
  if (busybox === undefined) throw new Error("busybox is missing");
  const folder = temporaryFolder("root");
  const script = readFileSync(join(import.meta.dir, "agent.sh"), "utf8");
  const put = (path: string, content: string) => writeFileSync(join(folder, path), content);
  run(
    `tar -C ${luksRoot} ${left.map((path) => `--exclude='${path}'`).join(" ")} -cf - . | tar -C ${folder} -xf -; ` +
      `cd ${folder}; mkdir -p .bench/run proc boot var/cache; cp ${join(busybox, "bin/busybox")} .bench/busybox; ` +
      "mkdir -p etc/systemd/system/sysinit.target.wants; " +
      "ln -s ../agent.service etc/systemd/system/sysinit.target.wants/agent.service; rm -f etc/crypttab",
  );
  put(".bench/agent", script.replace(/^#!.*/, "#!/.bench/busybox sh"));
  put(".bench/config", "PORT=/dev/ttyS1\nMOUNTS=''\n");
  put("etc/systemd/system/agent.service", unit);
  put("token", `${token}\n`);
  const image = temporaryPath("root.ext4");
  run(
    `chmod 755 ${folder}/.bench/agent; mke2fs -q -t ext4 -d ${folder} ${image} 400M; rm -rf ${folder}`,
  );
  return image;
}

/**
 * A disk whose whole is the volume, made in a guest by Debian's own cryptsetup. PBKDF2 with few rounds: Argon2
 * takes minutes where a processor is emulated.
 * @param key What opens it.
 */
export async function luksDisk(kernel: Kernel, token: string, key: string): Promise<string> {
  const disk = temporaryPath("luks.img");
  run(`truncate -s 440M ${disk}`);
  const initramfs = guestInitramfs({
    arch: "x86_64",
    modules: { kernel, names: ["virtio_pci", "virtio_blk", "dm-crypt", "xts", "algif_skcipher"] },
    entries: [text("/key", key)],
  });
  await using guest = await startGuest({
    kernel,
    initramfs,
    memory: 1024,
    extraQemuArgs: [disk, rootImage(token)].flatMap((file, index) => [
      ...["-drive", `file=${file},if=none,format=raw,id=disk${index},cache=unsafe`],
      ...["-device", `virtio-blk-pci,drive=disk${index}`],
    ]),
  });
  const cryptsetup = "chroot /mnt cryptsetup --batch-mode --key-file /run/key";
  await guest.check(
    "mkdir -p /mnt; mount -t ext4 /dev/vdb /mnt; mount -t devtmpfs dev /mnt/dev; mount -t proc proc /mnt/proc; " +
      "mount -t sysfs sys /mnt/sys; mount -t tmpfs run /mnt/run; cp /key /mnt/run/key; " +
      `${cryptsetup} luksFormat --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 --uuid ${luksUuid} /dev/vda; ` +
      `${cryptsetup} open /dev/vda root`,
    { timeout: 240 },
  );
  await guest.check(
    "umount /mnt/run /mnt/sys /mnt/proc /mnt/dev /mnt; dd if=/dev/vdb of=/dev/mapper/root bs=1M; sync",
    { timeout: 400 },
  );
  await guest.stop();
  return disk;
}

function run(script: string): void {
  const child = Bun.spawnSync(["sh", "-euc", script]);
  if (!child.success) throw new Error(`${script}\n${child.stderr}`);
}
