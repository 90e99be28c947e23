/** Where the first process has its address and its name servers from: `ip=`, dhcpcd, systemd-networkd. */
import { expect } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { CpioEntry } from "../../../src/initramfs/cpio.ts";
import { unique } from "../lib/aegis.ts";
import { text } from "../lib/initramfs.ts";
import { NameServer, nameServerProblem } from "../lib/name-server.ts";
import {
  bareNetworkArchive,
  clientWords,
  hostAddress,
  hostName,
  networkCard,
  serveFolder,
  urlOf,
} from "../lib/network.ts";
import { unpackedPackage } from "../lib/packages.ts";
import { programFiles } from "../lib/programs.ts";
import { generation, startPreboot } from "../lib/stores.ts";
import { type Need, vmTest } from "../lib/suite.ts";

const full = "debian-6.12-full";
const next = "shared-x86_64";
const made = (token: string) => generation({ generation: 7, name: next, token });
const nowhere = "https://nowhere.invalid/node/boot.json";
/** Told only where a name server is known. */
const asked = "no name server knows nowhere.invalid";

const asFile = (path: string, source: string): CpioEntry => ({
  ...{ type: "file", path, mode: 0o755 },
  data: readFileSync(source),
});

const serving: Need[] = nameServerProblem === undefined ? [] : [`file:${nameServerProblem}`];

vmTest(
  "what ip= set up is used, and the name server that the kernel was told",
  { needs: ["x86_64-small", next, ...serving] },
  async () => {
    const token = unique();
    using names = new NameServer({ [hostName]: hostAddress });
    using server = serveFolder(made(token));
    await using guest = await startPreboot("x86_64-small", {
      initramfs: await bareNetworkArchive("x86_64-small", [], false),
      words: `--verbose ${urlOf(server, hostName)} ${clientWords}`,
      disks: networkCard,
      // Address, (none), gateway, mask, name, interface, by nothing, name server: nfsroot.rst
      cmdline: `ip=10.0.2.15::10.0.2.2:255.255.255.0:node:eth0:none:${hostAddress}`,
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.serialLog()).toContain("the network is set up already");
    expect(names.asked).toContain(hostName);
  },
);

vmTest(
  "ip=dhcp brings the address, and the name server of the lease",
  { needs: ["x86_64-small", next] },
  async () => {
    const token = unique();
    using server = serveFolder(made(token));
    await using guest = await startPreboot("x86_64-small", {
      initramfs: await bareNetworkArchive("x86_64-small", [], false),
      words: `--verbose ${nowhere} ${urlOf(server, hostAddress)} ${clientWords} --wait 15`,
      disks: networkCard,
      cmdline: "ip=dhcp",
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.serialLog()).toContain("the network is set up already");
    expect(guest.serialLog()).toContain(asked);
  },
);

vmTest(
  "dhcpcd is run where it is there, and needs no shell for the name servers",
  { needs: [full, next, "package:dhcpcd-base:amd64", "tool:depmod"] },
  async () => {
    const token = unique();
    using server = serveFolder(made(token));
    const source = join(unpackedPackage("dhcpcd-base:amd64") ?? "", "usr/sbin/dhcpcd");
    const client = programFiles("x86_64", [{ path: "/usr/sbin/dhcpcd", source }]).map((file) =>
      asFile(file.path, file.source),
    );
    await using guest = await startPreboot(full, {
      initramfs: await bareNetworkArchive(full, client),
      words: `--verbose ${nowhere} ${urlOf(server, hostAddress)} ${clientWords} --wait 15`,
      disks: networkCard,
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.serialLog()).toContain("asking for an address: /usr/sbin/dhcpcd");
    expect(guest.serialLog()).toContain(asked);
    expect(guest.serialLog()).not.toContain("the DHCP client of eth0 ended");
  },
);

/** Programs of this host, with the libraries that they have here. */
function hostPrograms(paths: readonly string[]): readonly CpioEntry[] {
  const found = new Set(paths);
  for (const path of paths) {
    const { stdout } = Bun.spawnSync(["ldd", path]);
    for (const [library] of stdout.toString().matchAll(/\/\S+(?= \()/g)) found.add(library);
  }
  return [...found].map((path) => asFile(path, path));
}

const networkd = "/usr/lib/systemd/systemd-networkd";
const udev = ["/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm"];
const own = [networkd, ...udev].map((path): Need => `file:${path}`);

vmTest(
  "systemd-networkd is run with udev where they are there, and its name servers are taken",
  { needs: [full, next, "tool:depmod", ...own] },
  async () => {
    const token = unique();
    using server = serveFolder(made(token));
    const rules = "/usr/lib/udev/rules.d/75-net-description.rules";
    await using guest = await startPreboot(full, {
      initramfs: await bareNetworkArchive(full, [
        ...hostPrograms([networkd, ...udev]),
        // It gives its rights up, as it does where systemd starts it.
        text("/etc/passwd", "root:x:0:0::/:\nsystemd-network:x:998:998::/:\n"),
        text("/etc/group", "root:x:0:\nsystemd-network:x:998:\n"),
        ...(existsSync(rules) ? [asFile(rules, rules)] : []),
      ]),
      words: `--verbose ${nowhere} ${urlOf(server, hostAddress)} ${clientWords} --wait 15`,
      disks: networkCard,
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.serialLog()).toContain(`asking for an address: ${networkd}`);
    expect(guest.serialLog()).toContain(asked);
  },
);
