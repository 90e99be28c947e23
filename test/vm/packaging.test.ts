/** aegis-kexec in the initramfs of the tools that people use, and in the overlay for all others. */
import { expect } from "bun:test";
import { randomUUID } from "node:crypto";
import {
  chmodSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { mkoverlay } from "../../build/overlay.ts";
import { ensureBuilt } from "../../build/reuse.ts";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { needing } from "../needs.ts";
import { scene, vmlinuz } from "./lib/aegis.ts";
import { debianRoot, hasDebianRoot, inDebian, installModules } from "./lib/debian-root.ts";
import { startGuest } from "./lib/guest.ts";
import { repository, temporaryFolder, temporaryPath } from "./lib/host.ts";
import { guestInitramfs, text } from "./lib/initramfs.ts";
import { kernel } from "./lib/kernels.ts";
import { hostAddress, networkCard, serveFolder, tlsFiles, urlOf } from "./lib/network.ts";
import { unpackedPackage } from "./lib/packages.ts";
import { bootAsPredicted } from "./lib/prediction.ts";
import { generation, signerKey } from "./lib/stores.ts";
import { type Need, vmTest } from "./lib/suite.ts";

const needs: readonly Need[] = ["debian-6.12"];
const debian: readonly Need[] = hasDebianRoot()
  ? needs
  : [...needs, "file:a Debian root, made by test/setup.ts as root"];

const contrib = join(repository, "contrib");
const key = "untrusted comment: a key\nRWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n";
const cmdline = "no_timer_check console=ttyS0 quiet panic=-1";
const secretPlaces = ["/etc/cryptsetup-keys.d/root.key", "/run/root.key"] as const;
const words = `/next/kernel --initrd /next/initramfs --cmdline '${cmdline}'`;

/**
 * A script of an initramfs that hands over, in the form that its tool calls. It passes on what it reads of
 * secrets: the tool has mounted a new /run by then.
 */
const hook = `#!/bin/sh
[ "$1" = prereqs ] && exit 0
for place in ${secretPlaces.join(" ")}; do [ -f $place ] && found="$found $(cat $place)"; done
/sbin/aegis-kexec boot /next/kernel --initrd /next/initramfs --cmdline "${cmdline}$found" </dev/null >/dev/console 2>&1
`;

function put(path: string, content: string, mode = 0o644): void {
  const place = join(debianRoot, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  chmodSync(place, mode);
}

async function installProgram(): Promise<void> {
  copyFileSync(await ensureBuilt("linux-x64"), join(debianRoot, "usr/sbin/aegis-kexec"));
  put("etc/aegis-kexec/org.pub", key);
  await installModules(kernel("debian-6.12"));
}

/** The archives one after the other, as the kernel wants them: init/initramfs.c. */
function joined(...archives: readonly Uint8Array[]): string {
  const path = temporaryPath("joined.img");
  const parts = archives.flatMap((one) => [one, new Uint8Array(8 - (one.length % 4))]);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

function next(token: string): Uint8Array {
  const initramfs = readFileSync(guestInitramfs({ arch: "x86_64", token }));
  return encodeArchive([
    { type: "directory", path: "next" },
    { type: "file", path: "next/kernel", data: readFileSync(kernel("debian-6.12").path) },
    { type: "file", path: "next/initramfs", data: initramfs },
  ]);
}

async function handsOver(made: string, options: string): Promise<void> {
  const token = randomUUID();
  const initramfs = joined(readFileSync(join(debianRoot, made)), next(token));
  await using guest = await startGuest({
    kernel: kernel("debian-6.12"),
    initramfs,
    memory: 1536,
    cmdline: options,
    bootTimeout: 200,
  });
  expect(guest.announcement).toMatchObject({ token, cmdline });
}

/** What a hook of the made initramfs finds of secrets that were put into it. */
async function findsSecrets(made: string, options: string, found: string): Promise<void> {
  const token = randomUUID();
  const path = joined(readFileSync(join(debianRoot, made)), next(token));
  const given = scene({
    first: "debian-6.12",
    entries: [
      { type: "host-file", path: "/boot/made.img", source: path },
      ...secretPlaces.map((_, index) => text(`/key-${index}`, `key=${index}`)),
    ],
    guest: { memory: 3072 },
  });
  await using guest = await given.start();
  const secrets = secretPlaces.map((place, index) => `--secret /key-${index}:${place}`).join(" ");
  const load = `aegis-kexec load ${vmlinuz} --initrd /boot/made.img ${secrets} --cmdline '${cmdline} ${options}'`;
  const { stderr } = await guest.run(load, { timeout: 120 });
  expect(stderr).toMatch(/the secret at \/run\/root\.key may be gone before it is read/);
  expect(stderr).not.toContain("the secret at /etc");
  const last = await guest.handoff("aegis-kexec exec", { timeout: 300 });
  expect(last).toMatchObject({ token, cmdline: `${cmdline} ${found}` });
}

vmTest(
  "initramfs-tools: its hook's initramfs hands over",
  { needs: debian, timeout: 700 },
  async () => {
    await installProgram();
    const hooks = join(debianRoot, "etc/initramfs-tools/hooks/aegis-kexec");
    copyFileSync(join(contrib, "initramfs-tools/hook"), hooks);
    chmodSync(hooks, 0o755);
    put("etc/initramfs-tools/conf.d/test", "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n");
    put("etc/initramfs-tools/scripts/init-premount/test", hook, 0o755);
    const { release } = kernel("debian-6.12");
    await inDebian(`mkinitramfs -o /made.img ${release}`);
    const files = (await inDebian("lsinitramfs /made.img")).split("\n");
    expect(files).toContain("etc/aegis-kexec/org.pub");
    await handsOver("made.img", "root=/dev/nothing");
    await findsSecrets("made.img", "root=/dev/nothing", "key=0");
  },
);

vmTest(
  "the hooks of initramfs-tools and dracut put nothing where the settings say no",
  { needs: debian, timeout: 700 },
  async () => {
    await installProgram();
    const hooks = join(debianRoot, "etc/initramfs-tools/hooks/aegis-kexec");
    copyFileSync(join(contrib, "initramfs-tools/hook"), hooks);
    chmodSync(hooks, 0o755);
    const module = join(debianRoot, "usr/lib/dracut/modules.d/90aegis-kexec");
    cpSync(join(contrib, "dracut/90aegis-kexec"), module, { recursive: true });
    put("etc/initramfs-tools/conf.d/test", "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n");
    const { release } = kernel("debian-6.12");
    const settings = "etc/aegis-kexec/initramfs.conf";
    const made = {
      "initramfs-tools": `mkinitramfs -o /made-no.img ${release}; lsinitramfs /made-no.img`,
      dracut: `dracut --force --no-hostonly --no-compress --kver ${release} --drivers '' /made-no.img; lsinitrd /made-no.img`,
    };
    try {
      for (const [tool, make] of Object.entries(made)) {
        for (const [setting, wanted] of [
          ["# a comment\nINITRAMFS=no\n", false],
          ["#INITRAMFS=no\nINITRAMFS=yes\n", true],
        ] as const) {
          put(settings, setting);
          const listed = await inDebian(make);
          expect({ tool, wanted: /sbin\/aegis-kexec\n/.test(listed) }).toEqual({ tool, wanted });
          expect(listed).not.toContain("etc/aegis-kexec/initramfs.conf");
          expect(listed.includes("etc/aegis-kexec/org.pub")).toBe(wanted);
        }
      }
    } finally {
      rmSync(join(debianRoot, settings));
    }
  },
);

vmTest(
  "initramfs-tools: its own network leads to a server, where the settings ask for it",
  { needs: debian, timeout: 700 },
  async () => {
    await installProgram();
    const hooks = join(debianRoot, "etc/initramfs-tools/hooks/aegis-kexec");
    copyFileSync(join(contrib, "initramfs-tools/hook"), hooks);
    chmodSync(hooks, 0o755);
    put("etc/initramfs-tools/conf.d/test", "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n");
    const token = randomUUID();
    using server = serveFolder(generation({ generation: 7, name: "debian-6.12", token }));
    const words = `${urlOf(server, hostAddress)} --trust /etc/aegis-kexec/signer.pub`;
    const tls = "--ca /etc/aegis-kexec/ca.pem --client-cert /etc/aegis-kexec/node.pem";
    const script = `#!/bin/sh
[ "$1" = prereqs ] && { echo aegis-kexec-network; exit 0; }
cat /etc/resolv.conf >/dev/console
/sbin/aegis-kexec boot ${words} ${tls} </dev/null >/dev/console 2>&1
`;
    const premount = "etc/initramfs-tools/scripts/init-premount";
    const put1 = [
      [`${premount}/test`, script],
      ["etc/aegis-kexec/initramfs.conf", "INITRAMFS=yes\nNETWORK=yes\n"],
      ["etc/aegis-kexec/signer.pub", signerKey],
      ["etc/aegis-kexec/ca.pem", tlsFiles.ca],
      ["etc/aegis-kexec/node.pem", tlsFiles.client],
    ] as const;
    try {
      for (const [path, content] of put1) put(path, content, 0o755);
      await inDebian(`mkinitramfs -o /made-network.img ${kernel("debian-6.12").release}`);
      await using guest = await startGuest({
        kernel: kernel("debian-6.12"),
        initramfs: join(debianRoot, "made-network.img"),
        memory: 1536,
        cmdline: "root=/dev/nothing ip=dhcp",
        bootTimeout: 300,
        extraQemuArgs: networkCard,
      });
      expect(guest.announcement).toMatchObject({ token });
      // Of QEMU's own DHCP server
      expect(guest.serialLog()).toContain("nameserver 10.0.2.3");
    } finally {
      for (const [path] of put1) rmSync(join(debianRoot, path));
    }
  },
);

/** Programs of this host, with their libraries, in the Debian root. */
async function borrow(...programs: readonly string[]): Promise<void> {
  for (const program of programs) {
    const path = Bun.which(program) ?? "";
    const libraries = await Bun.$`ldd ${path}`.text();
    for (const one of [path, ...(libraries.match(/\/\S+/g) ?? [])]) {
      const place = join(debianRoot, one);
      if (existsSync(place)) continue;
      mkdirSync(dirname(place), { recursive: true });
      copyFileSync(one, place);
    }
  }
}

vmTest(
  "initramfs-tools: the binary hands over out of a squashfs image",
  { needs: [...debian, "tool:mksquashfs"], timeout: 600 },
  async () => {
    await installProgram();
    await borrow("mksquashfs", "losetup");
    const hooks = join(debianRoot, "etc/initramfs-tools/hooks/aegis-kexec");
    copyFileSync(join(contrib, "initramfs-tools/hook"), hooks);
    chmodSync(hooks, 0o755);
    put("etc/initramfs-tools/scripts/init-premount/test", hook, 0o755);
    const { release } = kernel("debian-6.12");
    const make = async (kind: string) => {
      put(
        "etc/initramfs-tools/conf.d/test",
        `MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\nexport AEGIS_KEXEC_IMAGE=${kind}\n`,
      );
      return await inDebian(`mkinitramfs -o /made-image.img ${release}`);
    };
    await expect(make("iso9660")).rejects.toThrow("is squashfs or erofs, not iso9660");
    await make("squashfs");
    const files = (await inDebian("lsinitramfs /made-image.img")).split("\n");
    expect(files).toContain("usr/lib/aegis-kexec/image");
    // Newer kernels' packages compress their modules
    expect(files.some((file) => /\/squashfs\.ko(\.xz)?$/.test(file))).toBe(true);
    await handsOver("made-image.img", "root=/dev/nothing");
  },
);

vmTest(
  "dracut: its module's initramfs hands over, stripped",
  { needs: debian, timeout: 700 },
  async () => {
    await installProgram();
    const module = join(debianRoot, "usr/lib/dracut/modules.d/90aegis-kexec");
    cpSync(join(contrib, "dracut/90aegis-kexec"), module, { recursive: true });
    put("test-hook.sh", hook, 0o755);
    const { release } = kernel("debian-6.12");
    const include = "--include /test-hook.sh /usr/lib/dracut/hooks/pre-trigger/00-test.sh";
    await inDebian(
      `dracut --force --no-hostonly --strip --no-compress ${include} --kver ${release} --drivers '' /made-dracut.img`,
    );
    const files = await inDebian("lsinitrd /made-dracut.img");
    expect(files).toMatch(/ etc\/aegis-kexec\/org\.pub\n/);
    await handsOver("made-dracut.img", "root=/dev/nothing rd.retry=1");
    // Without systemd dracut moves what is in /run to the new one.
    await findsSecrets("made-dracut.img", "root=/dev/nothing rd.retry=1", "key=0 key=1");
  },
);

const libc = unpackedPackage("libc6:amd64");

/** The command of `mkoverlay --help` that appends the overlay. */
async function appending(): Promise<string> {
  const help = await Bun.$`${process.execPath} build.ts mkoverlay --help`.cwd(repository).text();
  const command = /^ {2}(\{ cat initrd\.img; .*)$/m.exec(help)?.[1];
  if (command === undefined) throw new Error("the help has no such command");
  return command;
}

vmTest(
  "the overlay, appended as its help says, hands over",
  { needs: [...needs, "tool:lz4"] },
  async () => {
    if (libc === undefined) throw new Error('libc6 is missing: run "bun test/setup.ts"');
    const options = ["--system", "x64", "--sysroot", libc, "--kexec-link", "--level", "1"];
    await Bun.$`${process.execPath} build.ts mkoverlay ${options}`.cwd(repository).quiet();
    const folder = temporaryFolder("overlay");
    const file = "aegis-kexec-initramfs-x64.cpio.zst";
    copyFileSync(join(repository, "dist", file), join(folder, file));
    const token = randomUUID();
    // As on a distribution: /lib is a link, which the overlay must leave alone
    const before = guestInitramfs({
      arch: "x86_64",
      token: "first",
      entries: [
        { type: "directory", path: "/usr/lib" },
        { type: "symlink", path: "/lib", target: "usr/lib" },
      ],
    });
    // Behind an lz4 archive the kernel finds nothing that is not kept apart
    await Bun.$`lz4 -lq ${joined(readFileSync(before), next(token))} initrd.img`.cwd(folder);
    await Bun.$`sh -ec ${await appending()}`.cwd(folder);
    await using guest = await startGuest({
      kernel: kernel("debian-6.12"),
      initramfs: join(folder, "new.img"),
      memory: 1536,
    });
    const links = await guest.check("readlink /lib; readlink /sbin/kexec");
    expect(links).toBe("usr/lib\naegis-kexec\n");
    expect(await guest.check("kexec --version")).toContain("aegis-kexec");
    expect(await bootAsPredicted(guest, words)).toMatchObject({ token, cmdline });
  },
);

const libcArm = unpackedPackage("libc6:arm64");

needing("cpio", libcArm ?? "Debian's libc6:arm64").test(
  "the overlay for arm64 has loader, libraries, policy and keys",
  async () => {
    const policy = temporaryPath("policy.json");
    const pub = temporaryPath("org.pub");
    const file = pub.slice(pub.lastIndexOf("/") + 1);
    writeFileSync(policy, JSON.stringify({ trust: [`/etc/aegis-kexec/${file}`] }));
    writeFileSync(pub, key);
    const archive = await mkoverlay({
      system: "arm64",
      ...(libcArm === undefined ? {} : { sysroot: libcArm }),
      policy,
      keys: [pub],
    });
    const list = Bun.spawn(["cpio", "--list", "--quiet"], { stdin: archive, stdout: "pipe" });
    const files = (await new Response(list.stdout).text()).split("\n");
    for (const path of [
      "sbin/aegis-kexec",
      "lib/ld-linux-aarch64.so.1",
      ...["c.so.6", "pthread.so.0", "dl.so.2", "m.so.6"].map(
        (one) => `lib/aarch64-linux-gnu/lib${one}`,
      ),
      "etc/aegis-kexec/policy.json",
      `etc/aegis-kexec/${file}`,
    ]) {
      expect(files).toContain(path);
    }
  },
  60_000,
);
