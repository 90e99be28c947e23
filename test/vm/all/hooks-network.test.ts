/** dracut's own network, where the settings of its hook ask for it. */
import { expect } from "bun:test";
import { chmodSync, copyFileSync, cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ensureBuilt } from "../../../build/reuse.ts";
import { unique } from "../lib/aegis.ts";
import { debianRoot, hasDebianRoot, inDebian, installModules } from "../lib/debian-root.ts";
import { startGuest } from "../lib/guest.ts";
import { repository } from "../lib/host.ts";
import { kernel } from "../lib/kernels.ts";
import { hostAddress, networkCard, serveFolder, tlsFiles, urlOf } from "../lib/network.ts";
import { generation, signerKey } from "../lib/stores.ts";
import { type Need, vmTest } from "../lib/suite.ts";

const first = "debian-6.12";
const modules = join(debianRoot, "usr/lib/dracut/modules.d");
const debian: Need = hasDebianRoot()
  ? `file:${join(modules, "40network")}`
  : "file:a Debian root, made by test/setup.ts as root";

vmTest(
  "dracut: its own network leads to a server, where the settings ask for it",
  { needs: [first, debian], timeout: 900 },
  async () => {
    const token = unique();
    using server = serveFolder(generation({ generation: 7, name: first, token }));
    const words = `${urlOf(server, hostAddress)} --trust /etc/aegis-kexec/signer.pub`;
    const tls = "--ca /etc/aegis-kexec/ca.pem --client-cert /etc/aegis-kexec/node.pem";
    const hook = `#!/bin/sh
cat /etc/resolv.conf >/dev/console
/sbin/aegis-kexec boot ${words} ${tls} </dev/null >/dev/console 2>&1
`;
    const files = {
      "network-hook.sh": hook,
      "etc/aegis-kexec/initramfs.conf": "NETWORK=yes\n",
      "etc/aegis-kexec/signer.pub": signerKey,
      "etc/aegis-kexec/ca.pem": tlsFiles.ca,
      "etc/aegis-kexec/node.pem": tlsFiles.client,
    };
    copyFileSync(await ensureBuilt("linux-x64"), join(debianRoot, "usr/sbin/aegis-kexec"));
    cpSync(join(repository, "contrib/dracut/90aegis-kexec"), join(modules, "90aegis-kexec"), {
      recursive: true,
    });
    await installModules(kernel(first));
    try {
      for (const [path, content] of Object.entries(files)) {
        const place = join(debianRoot, path);
        mkdirSync(dirname(place), { recursive: true });
        writeFileSync(place, content);
        chmodSync(place, 0o755);
      }
      const { release } = kernel(first);
      const include =
        "--include /network-hook.sh /usr/lib/dracut/hooks/initqueue/online/90-boot.sh";
      await inDebian(
        `dracut --force --no-hostonly --no-compress ${include} --kver ${release} --drivers 'virtio_pci virtio_net' /made-network.img`,
      );
      await using guest = await startGuest({
        kernel: kernel(first),
        initramfs: join(debianRoot, "made-network.img"),
        memory: 1536,
        cmdline: "root=/dev/nothing",
        bootTimeout: 500,
        extraQemuArgs: networkCard,
      });
      expect(guest.announcement).toMatchObject({ token });
      // Of QEMU's own DHCP server
      expect(guest.serialLog()).toContain("nameserver 10.0.2.3");
      expect(server.log.every(({ certified }) => certified)).toBe(true);
    } finally {
      for (const path of Object.keys(files)) rmSync(join(debianRoot, path), { force: true });
    }
  },
);
