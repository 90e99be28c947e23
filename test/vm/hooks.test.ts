/** The page's commands for each tool that makes an initramfs: what lies where afterwards, and what is in the initramfs. */
import { afterAll, expect } from "bun:test";
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { debianRoot, hasDebianRoot, inDebian, installModules } from "./lib/debian-root.ts";
import { repository } from "./lib/host.ts";
import { kernel } from "./lib/kernels.ts";
import { printedCommand } from "./lib/readme.ts";
import { type Need, vmTest } from "./lib/suite.ts";

const tool = "install";
const needs: readonly Need[] = [
  "debian-6.12",
  ...(hasDebianRoot() ? [] : (["file:a Debian root, made by test/setup.ts as root"] as const)),
];
const key = "etc/aegis-kexec/org.pub";
/** What these tests leave behind there. */
const placed: string[] = [];

function put(path: string, content: string, mode = 0o644): void {
  const place = join(debianRoot, path);
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, content);
  chmodSync(place, mode);
  placed.push(path);
}

/** A machine that has the archive of a release unpacked, and runs that kernel. @returns its release */
async function begin(): Promise<string> {
  const { release = "" } = kernel("debian-6.12");
  placed.push("usr/sbin/aegis-kexec", "release", `boot/initrd.img-${release}`);
  copyFileSync(await ensureBuilt("linux-x64"), join(debianRoot, "usr/sbin/aegis-kexec"));
  cpSync(join(repository, "contrib"), join(debianRoot, "release/contrib"), { recursive: true });
  await installModules(kernel("debian-6.12"));
  put(key, "untrusted comment: a key\n");
  put(
    "usr/local/sbin/uname",
    `#!/bin/sh\n[ "$1" != -r ] || exec echo ${release}\nexec /bin/uname "$@"\n`,
    0o755,
  );
  return release;
}

const asPrinted = (name: string) => inDebian(`cd /release; ${printedCommand(name)}`);
const modeOf = async (path: string) => (await inDebian(`stat -c '%a %U' ${path}`)).trim();

afterAll(() => {
  for (const path of placed) rmSync(join(debianRoot, path), { recursive: true, force: true });
});

vmTest("initramfs-tools, as the page says", { needs }, async () => {
  const release = await begin();
  put("etc/initramfs-tools/conf.d/page", "MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=1\n");
  const hook = "/etc/initramfs-tools/hooks/aegis-kexec";
  placed.push(hook.slice(1), `var/lib/initramfs-tools/${release}`);
  rmSync(join(debianRoot, hook), { force: true });
  await inDebian(`update-initramfs -c -k ${release}`);
  const list = () => inDebian(`lsinitramfs /boot/initrd.img-${release}`);
  expect(await list()).not.toContain("aegis-kexec");
  await asPrinted(`${tool}-initramfs-tools`);
  expect(await modeOf(hook)).toBe("755 root");
  expect(await list()).toMatch(/\/?sbin\/aegis-kexec\n/);
  expect(await list()).toContain(key);
  // The undo: the file away, and the initramfs anew
  await inDebian(`rm ${hook}; update-initramfs -u`);
  expect(await list()).not.toContain("aegis-kexec");
});

vmTest("dracut, as the page says", { needs }, async () => {
  await begin();
  put("etc/dracut.conf.d/page.conf", 'hostonly="no"\ncompress="cat"\ndrivers="loop"\n');
  const folder = "/usr/lib/dracut/modules.d/90aegis-kexec";
  placed.push(folder.slice(1));
  rmSync(join(debianRoot, folder), { recursive: true, force: true });
  await inDebian("touch /release/begin");
  await asPrinted(`${tool}-dracut`);
  expect(await modeOf(`${folder}/module-setup.sh`)).toBe("755 root");
  const made = (await inDebian("find /boot -newer /release/begin -name 'init*'")).trim();
  placed.push(made.slice(1));
  const list = await inDebian(`lsinitrd ${made}`);
  expect(list).toMatch(/ (usr\/)?sbin\/aegis-kexec\n/);
  expect(list).toContain(key);
});

/** What mkinitcpio(8) gives to install hooks, telling what it was asked for. */
const mkinitcpio = `#!/bin/bash
. /etc/mkinitcpio.conf
add_binary() { echo "binary $1 at $2"; }
add_file() { echo "file $1"; }
for hook in "\${HOOKS[@]}"; do
  if [ -f /etc/initcpio/install/$hook ]; then . /etc/initcpio/install/$hook && build; fi
done
`;

vmTest("mkinitcpio, as the page says, with a stand-in for it", { needs }, async () => {
  await begin();
  put("etc/mkinitcpio.conf", "MODULES=()\n# HOOKS=(base)\nHOOKS=(base udev fsck)\n");
  put("usr/local/sbin/mkinitcpio", mkinitcpio, 0o755);
  placed.push("etc/initcpio");
  const said = await asPrinted(`${tool}-mkinitcpio`);
  expect(said).toContain("binary /usr/sbin/aegis-kexec at /usr/bin/aegis-kexec\n");
  expect(said).toContain(`file /${key}\n`);
  expect(await modeOf("/etc/initcpio/install/aegis-kexec")).toBe("644 root");
  expect(await inDebian("cat /etc/mkinitcpio.conf")).toContain(
    "# HOOKS=(base)\nHOOKS=(base udev fsck aegis-kexec)\n",
  );
});
