/** From power-on to a generation of a server: the binary as the first process, and a network card. */
import { expect } from "bun:test";
import { status } from "../unit/source/network/server.ts";
import { unique } from "./lib/aegis.ts";
import type { KernelName } from "./lib/kernels.ts";
import {
  clientWords,
  hostAddress,
  hostAddress6,
  hostName,
  networkArchive,
  networkCard,
  serveFolder,
  urlOf,
} from "./lib/network.ts";
import { consoleOfFailure, disk, ext4Store, generation, startPreboot } from "./lib/stores.ts";
import { type Need, vmTest } from "./lib/suite.ts";

const tools = ["tool:depmod", "tool:mke2fs"] as const;

/** The kernel of the preboot, and the one that is booted from the server. */
const machines: readonly (readonly [first: KernelName, next: KernelName, busybox: Need])[] = [
  ["debian-6.12-full", "shared-x86_64", "package:busybox-static:amd64"],
  ["aarch64-full", "shared-aarch64", "package:busybox-static:arm64"],
];

for (const [first, next, busybox] of machines) {
  const needs = [first, next, busybox, ...tools];
  const made = (token: string, number = 7) => generation({ generation: number, name: next, token });

  vmTest(
    `boots over https with a client certificate, from an address: ${first}`,
    { needs },
    async () => {
      const token = unique();
      using server = serveFolder(made(token));
      await using guest = await startPreboot(first, {
        initramfs: await networkArchive(first),
        words: `--verbose ${urlOf(server, hostAddress)} ${clientWords}`,
        disks: networkCard,
      });
      expect(guest.announcement).toMatchObject({ token });
      expect(guest.announcement.cmdline).toContain("gen=7");
      expect(server.paths).toEqual(
        ["boot.json", "boot.json.minisig", "vmlinuz", "initrd.img"].map((name) => `/node/${name}`),
      );
      expect(server.log.every(({ certified }) => certified)).toBe(true);
      // The key is in no message, and the lease was asked for.
      expect(guest.serialLog()).not.toContain("PRIVATE KEY");
      expect(guest.serialLog()).toContain("asking for an address: /bin/busybox udhcpc");
    },
  );

  vmTest(`boots over IPv6, which needs no DHCP client: ${first}`, { needs }, async () => {
    const token = unique();
    using server = serveFolder(made(token), { hostname: "::1" });
    await using guest = await startPreboot(first, {
      initramfs: await networkArchive(first),
      words: `${urlOf(server, hostAddress6)} ${clientWords}`,
      disks: networkCard,
    });
    expect(guest.announcement).toMatchObject({ token });
  });

  vmTest(
    `boots over http under a policy, from a name, past what is tampered with: ${first}`,
    { needs },
    async () => {
      const token = unique();
      using bad = serveFolder(made("wrong", 9), {
        plain: true,
        instead: ({ path }) =>
          path.endsWith("vmlinuz") ? status(302, "Location: http://10.0.2.2:1/\r\n") : undefined,
      });
      using server = serveFolder(made(token), { plain: true });
      await using guest = await startPreboot(first, {
        initramfs: await networkArchive(first),
        words: `${urlOf(bad, hostName, "http")} ${urlOf(server, hostName, "http")}`,
        disks: networkCard,
      });
      expect(guest.announcement).toMatchObject({ token });
      expect(guest.serialLog()).toContain("boot.json is passed over: cannot fetch");
      expect(bad.paths).not.toContain("/node/initrd.img");
    },
  );

  vmTest(`falls back to the disk where the server is gone: ${first}`, { needs }, async () => {
    const token = unique();
    const gone = serveFolder(made("wrong"));
    const url = urlOf(gone, hostAddress);
    gone[Symbol.dispose]();
    await using guest = await startPreboot(first, {
      initramfs: await networkArchive(first),
      words: `${url} LABEL=STORE:/generations ${clientWords} --wait 8`,
      disks: [...networkCard, ...disk("virtio", ext4Store({ "6": made(token, 6) }, 128))],
    });
    expect(guest.announcement).toMatchObject({ token });
    expect(guest.announcement.cmdline).toContain("gen=6");
    expect(guest.serialLog()).toMatch(/boot\.json is passed over: cannot fetch .*10\.0\.2\.2/);
  });
}

vmTest(
  "says what is missing: no card, no link, no name server that knows, a clock of long ago",
  { needs: ["debian-6.12-full", "package:busybox-static:amd64", ...tools] },
  async () => {
    const initramfs = await networkArchive("debian-6.12-full");
    const failure = (words: string, disks: readonly string[]) =>
      consoleOfFailure(
        startPreboot("debian-6.12-full", {
          initramfs,
          words: `${words} ${clientWords} --wait 1`,
          disks,
        }),
      );
    const url = `https://${hostAddress}:1/node/boot.json`;
    expect(await failure(url, [])).toContain("this machine has no network interface");
    expect(await failure(url, networkCard)).toMatch(
      /10\.0\.2\.2 (takes no connections|does not answer)/,
    );
    using server = serveFolder(
      generation({ generation: 7, name: "debian-6.12-full", token: "wrong" }),
    );
    const old = [...networkCard, "-rtc", "base=2001-01-01T00:00:00"];
    const clock = await failure(urlOf(server, hostAddress), old);
    expect(clock).toContain("this machine's clock says 2001-01-01");
    expect(clock).toContain("set this machine's clock");
    expect(server.paths).toEqual([]);
  },
);
