/** A server on this machine's loopback, which guests reach through QEMU, and preboots that start from it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CpioEntry } from "../../../src/initramfs/cpio.ts";
import { Authority } from "../../unit/source/network/authority.ts";
import { type Answer, type Asked, ok, Server, status } from "../../unit/source/network/server.ts";
import { text } from "./initramfs.ts";
import { type KernelName, kernel } from "./kernels.ts";
import { bareArchive, busyboxFile, generationFiles } from "./stores.ts";

/** This machine as a guest sees it: QEMU's documentation, invocation, `-netdev user`. */
export const hostAddress = "10.0.2.2";
export const hostAddress6 = "fec0::2";
export const hostName = "boot.example";

const authority = new Authority("the organisation's");
const served = authority.issue({ names: [hostAddress, hostAddress6, hostName] });
const client = authority.issue({ names: ["node-1"] });

/** PEM: the authority of the server, and what a client shows. */
export const tlsFiles = { ca: authority.cert, client: client.cert + client.key };

export interface GenerationServerOptions {
  /** Default https, with a certificate of the client asked for. */
  readonly plain?: boolean;
  readonly hostname?: "127.0.0.1" | "::1";
  readonly instead?: (asked: Asked) => Answer | undefined;
}

/** Serves the files of a folder at /node/. */
export function serveFolder(
  folder: string,
  { plain = false, hostname = "127.0.0.1", instead }: GenerationServerOptions = {},
): Server {
  const files = new Map(
    generationFiles.map(
      (name) => [`/node/${name}`, readFileSync(join(folder, name))] as [string, Uint8Array],
    ),
  );
  return new Server(
    (asked) => {
      const file = files.get(asked.path);
      return instead?.(asked) ?? (file === undefined ? status(404) : ok(file));
    },
    { hostname, ...(plain ? {} : { tls: served, authority: authority.cert }) },
  );
}

export function urlOf({ port }: Server, host: string, scheme: "http" | "https" = "https"): string {
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}/node/boot.json`;
}

export const clientWords = "--ca /etc/tls/ca.pem --client-cert /etc/tls/node.pem";

/** QEMU's words for a network card whose other side is this machine. */
export const networkCard = [
  ...["-netdev", "user,id=net0,ipv4=on,ipv6=on"],
  ...["-device", "virtio-net-pci,netdev=net0"],
];

/** The binary, what it needs for a server, and the DHCP client of busybox. */
export function networkArchive(name: KernelName, more: readonly CpioEntry[] = []): Promise<string> {
  const { arch } = kernel(name);
  const hosts = text("/etc/hosts", `${hostAddress} ${hostName}\n`);
  return bareNetworkArchive(name, [hosts, busyboxFile(arch), ...more]);
}

/** Without a DHCP client, and without names of hosts. */
export function bareNetworkArchive(
  name: KernelName,
  more: readonly CpioEntry[],
  hasModules = true,
): Promise<string> {
  return bareArchive(name, {
    modules: hasModules ? ["virtio_pci", "virtio_net", "virtio_blk", "ext4", "crc32c_generic"] : [],
    more: [
      text("/etc/tls/ca.pem", tlsFiles.ca),
      text("/etc/tls/node.pem", tlsFiles.client),
      ...more,
    ],
  });
}
