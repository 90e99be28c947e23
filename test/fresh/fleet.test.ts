/** The playbook of contrib/, run by Debian's Ansible over two machines with Debian's systemd. */
import { expect } from "bun:test";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { repository, temporaryFolder, temporaryPath } from "../vm/lib/host.ts";
import { type GuestEntry, guestInitramfs, text } from "../vm/lib/initramfs.ts";
import { type KernelName, kernel } from "../vm/lib/kernels.ts";
import { hostAddress, serveFolder, tlsFiles, urlOf } from "../vm/lib/network.ts";
import { type Qemu, startQemu } from "../vm/lib/qemu.ts";
import { generation, signerKey } from "../vm/lib/stores.ts";
import { vmTest } from "../vm/lib/suite.ts";
import { fleetImage } from "../vm/lib/systemd-image.ts";

const name: KernelName = "debian-6.12";
const needs = [
  name,
  `file:${fleetImage}`,
  ...(["ansible-playbook", "ssh", "ssh-keygen"] as const).map((tool) => `tool:${tool}` as const),
] as const;

/** Of both kernels: goes over to the disk. Of the first one: installs there what is handed over to. */
const init = `#!/bin/sh
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /lib/modules/*.ko; do insmod $module; done
mkdir /new
mount -t ext4 /dev/vda /new
[ ! -d /install ] || cp -a /install/. /new/
exec switch_root /new /sbin/init
`;

const network = "[Match]\nType=ether\n[Network]\nDHCP=ipv4\n";
const entry = (host: string) =>
  `title next\nlinux /vmlinuz\ninitrd /initrd.img\noptions no_timer_check console=ttyS0 panic=-1 by-entry-${host}\n`;

interface Keys {
  readonly private: string;
  readonly public: string;
}

async function makeKeys(): Promise<Keys> {
  const path = join(temporaryFolder("keys"), "key");
  await Bun.$`ssh-keygen -q -t ed25519 -N "" -f ${path}`;
  return { private: path, public: readFileSync(`${path}.pub`, "utf8") };
}

/** A port of this host that nobody listens on. */
function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}

const common: readonly GuestEntry[] = [
  text("/init", init, 0o755),
  { type: "symlink", path: "/bin/switch_root", target: "busybox" },
];

/** Goes over to the disk, once what is to be installed there is. */
const goesOver = (install: readonly GuestEntry[] = []) => ({
  modules: { kernel: kernel(name), names: ["virtio_pci", "virtio_blk", "virtio_net"] },
  entries: [...common, ...install],
});

class Host implements AsyncDisposable {
  log = "";
  readonly #qemu: Qemu;
  private constructor(
    readonly name: string,
    readonly port: number,
    readonly keys: Keys,
    qemu: Qemu,
  ) {
    this.#qemu = qemu;
    const decoder = new TextDecoder();
    qemu.console.receive((bytes) => {
      this.log += decoder.decode(bytes, { stream: true });
    });
  }

  /** @param extra what it has on its disk, and a port of this machine that it reaches as its server */
  static async start(
    host: string,
    keys: Keys,
    extra: { readonly install?: readonly GuestEntry[]; readonly port?: number } = {},
  ): Promise<Host> {
    const image = temporaryPath(`${host}.ext4`);
    copyFileSync(fleetImage, image);
    const next = guestInitramfs({ arch: "x86_64", ...goesOver() });
    const install: readonly GuestEntry[] = [
      { type: "directory", path: "/install/root", mode: 0o700 },
      { type: "directory", path: "/install/root/.ssh", mode: 0o700 },
      text("/install/root/.ssh/authorized_keys", keys.public, 0o600),
      text("/install/etc/systemd/network/wired.network", network),
      {
        type: "symlink",
        path: "/install/etc/systemd/system/multi-user.target.wants/systemd-networkd.service",
        target: "/lib/systemd/system/systemd-networkd.service",
      },
      {
        type: "host-file",
        path: "/install/usr/sbin/aegis-kexec",
        source: await ensureBuilt("linux-x64"),
        mode: 0o755,
      },
      text("/install/boot/loader/entries/next.conf", entry(host)),
      { type: "host-file", path: "/install/boot/vmlinuz", source: kernel(name).path },
      { type: "host-file", path: "/install/boot/initrd.img", source: next },
      ...(extra.install ?? []),
    ];
    // A host reaches its server, and nothing else is asked for.
    const alone = extra.port === undefined ? "restrict=on," : "";
    const port = freePort();
    const qemu = await startQemu({
      arch: "x86_64",
      kernel: kernel(name).path,
      initramfs: guestInitramfs({ arch: "x86_64", ...goesOver(install) }),
      cmdline: "no_timer_check console=ttyS0 panic=-1 first",
      memory: 1536,
      extraQemuArgs: [
        ...["-drive", `file=${image},if=none,format=raw,id=root`],
        ...["-device", "virtio-blk-pci,drive=root"],
        ...["-netdev", `user,id=net,${alone}hostfwd=tcp:127.0.0.1:${port}-:22`],
        ...["-device", "virtio-net-pci,netdev=net"],
      ],
    });
    return new Host(host, port, keys, qemu);
  }

  get #sshOptions(): string[] {
    const known = ["-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"];
    return [...known, "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR"];
  }

  /** A line of Ansible's inventory. */
  get inventory(): string {
    const words = {
      ansible_host: "127.0.0.1",
      ansible_port: this.port,
      ansible_user: "root",
      ansible_ssh_private_key_file: this.keys.private,
      ansible_ssh_common_args: `'${this.#sshOptions.join(" ")}'`,
      ansible_python_interpreter: "/usr/bin/python3",
    };
    return [this.name, ...Object.entries(words).map((pair) => pair.join("="))].join(" ");
  }

  /** Runs a command on the host; undefined when that fails. */
  async ssh(command: string): Promise<string | undefined> {
    const address = ["-i", this.keys.private, "-p", String(this.port), "root@127.0.0.1"];
    const ran = await Bun.$`ssh ${this.#sshOptions} -o BatchMode=yes ${address} ${command}`
      .nothrow()
      .quiet();
    return ran.exitCode === 0 ? ran.stdout.toString().trim() : undefined;
  }

  async awaitSsh(seconds: number): Promise<void> {
    const stop = Date.now() + seconds * 1000;
    while ((await this.ssh("true")) === undefined) {
      if (Date.now() > stop) throw new Error(`${this.name} does not come up:\n${this.log}`);
      await Bun.sleep(1000);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#qemu.kill();
    await this.#qemu.exited;
  }
}

/** Runs the playbook. @returns how it ended and what it said. */
async function play(
  hosts: readonly Host[],
  variables: Readonly<Record<string, unknown>>,
  playbook = "upgrade.yml",
) {
  const inventory = temporaryPath("inventory");
  await Bun.write(inventory, hosts.map((host) => `${host.inventory}\n`).join(""));
  const values = Object.entries(variables).flatMap(([key, value]) => [
    ...["-e", JSON.stringify({ [key]: value })],
  ]);
  const ran = await Bun.$`ansible-playbook -i ${inventory} ${values} contrib/ansible/${playbook}`
    .cwd(repository)
    .env({ ...process.env, ANSIBLE_NOCOLOR: "1", ANSIBLE_PIPELINING: "1", LC_ALL: "C.UTF-8" })
    .nothrow()
    .quiet();
  return { exit: ran.exitCode, said: `${ran.stdout}${ran.stderr}` };
}

vmTest(
  "the playbook restarts two hosts by kexec, one at a time",
  { needs, timeout: 1500 },
  async () => {
    const keys = await makeKeys();
    await using one = await Host.start("one", keys);
    await using two = await Host.start("two", keys);
    const hosts = [one, two];
    await Promise.all(hosts.map((host) => host.awaitSsh(300)));
    for (const host of hosts) expect(await host.ssh("cat /proc/cmdline")).toEndWith(" first");

    // What would not load drains nobody, and the second host is never asked
    const refused = await play(hosts, {
      aegis_source: "/etc/hostname",
      aegis_drain: "touch /drained",
    });
    expect(refused.exit).not.toBe(0);
    expect(refused.said).toContain("it is not a kernel image");
    expect(refused.said).not.toContain("two]");
    expect(await one.ssh("test -e /drained")).toBeUndefined();

    const done = await play(hosts, {
      aegis_drain: "touch /drained",
      aegis_restore: "mv /drained /restored",
    });
    expect(done).toMatchObject({ exit: 0 });
    for (const host of hosts) {
      expect(await host.ssh("cat /proc/cmdline")).toBe(
        `no_timer_check console=ttyS0 panic=-1 by-entry-${host.name}`,
      );
      expect(await host.ssh("ls /restored")).toBe("/restored");
    }
    // The second one's turn comes when the first one is back
    const turn = (host: string, task: string) =>
      done.said.search(new RegExp(`TASK \\[${task}\\] \\*+\\n[a-z]+: \\[${host}\\]`));
    expect(turn("one", "Put the host back into service")).toBeGreaterThan(0);
    expect(turn("two", "Verify that this host would take it")).toBeGreaterThan(
      turn("one", "Put the host back into service"),
    );
  },
);

vmTest(
  "the playbook fetches a generation ahead on all hosts, and restarts them into it one at a time",
  { needs, timeout: 1500 },
  async () => {
    const keys = await makeKeys();
    const made = generation({ generation: 7, name, token: "", initramfs: goesOver() });
    using server = serveFolder(made);
    const policy = JSON.stringify({ trust: ["/etc/aegis-kexec/org.pub"] });
    const install = [
      text("/install/etc/aegis-kexec/policy.json", policy),
      text("/install/etc/aegis-kexec/org.pub", signerKey),
      text("/install/etc/boot-ca.pem", tlsFiles.ca),
      text("/install/etc/node.pem", tlsFiles.client, 0o600),
    ];
    const extra = { install, port: server.port };
    await using one = await Host.start("one", keys, extra);
    await using two = await Host.start("two", keys, extra);
    const hosts = [one, two];
    await Promise.all(hosts.map((host) => host.awaitSsh(300)));
    const variables = {
      aegis_url: urlOf(server, hostAddress),
      aegis_fetch_options: ["--ca", "/etc/boot-ca.pem", "--client-cert", "/etc/node.pem"],
    };

    // Where one cannot fetch, none is restarted
    const wrong = {
      ...variables,
      aegis_url: `https://${hostAddress}:${server.port}/node/none.json`,
    };
    const refused = await play(hosts, wrong, "fetch-upgrade.yml");
    expect(refused.exit).not.toBe(0);
    expect(refused.said).toContain("the server has no such file (404)");
    for (const host of hosts) expect(await host.ssh("cat /proc/cmdline")).toEndWith(" first");

    const done = await play(hosts, variables, "fetch-upgrade.yml");
    expect(done).toMatchObject({ exit: 0 });
    for (const host of hosts) {
      expect(await host.ssh("cat /proc/cmdline")).toContain(" gen=7 aegis_kexec.from=");
      // Blessed: it has no counter any more
      expect(await host.ssh("ls /var/lib/aegis-kexec/generations")).toBe("7");
    }
    const files = server.paths.filter((path) => path === "/node/vmlinuz");
    expect(files).toHaveLength(hosts.length);
  },
);
