/** The DHCP clients that an initramfs may have, and how each is asked for a lease. */
import { readText } from "../../linux/descriptor.ts";
import { writePlace } from "../../linux/network/place.ts";
import { exists, readLink } from "../../linux/path.ts";
import { leaseArgument, setNameServers } from "./lease.ts";

export interface Client {
  /** For an interface that has a link; none where it serves all of them, and was started. */
  command(name: string): readonly string[] | undefined;
  /** Called once there is an address: name servers that it keeps to itself. */
  bound?(): void;
}

/** What the first process does not find in its environment. */
export const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };

const script = "/run/aegis-kexec/lease";
const folders = ["/sbin", "/usr/sbin", "/bin", "/usr/bin", "/usr/lib/systemd", "/lib/systemd"];

function find(name: string): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find(exists);
}

/** The first of those that are known; undefined where there is none. */
export function findClient(): Client | undefined {
  return udhcpc() ?? dhcpcd() ?? networkd();
}

/** The script that a client calls is this program: it needs no shell, and nothing that a shell would call. */
function ownScript(): boolean {
  // Where it lies the runtime does not know: as the first process it was started without /proc.
  const self = readLink("/proc/self/exe");
  return typeof self !== "number" && writePlace(script, `#!${self} ${leaseArgument}\n`, 0o755);
}

function udhcpc(): Client | undefined {
  const alone = find("udhcpc");
  const busybox = alone === undefined ? find("busybox") : undefined;
  const own = alone !== undefined ? [alone] : busybox !== undefined ? [busybox, "udhcpc"] : [];
  if (own.length === 0 || !ownScript()) return undefined;
  const often = ["-t", "5", "-T", "2", "-A", "3"];
  return { command: (name) => [...own, "-i", name, "-f", "-q", ...often, "-s", script] };
}

function dhcpcd(): Client | undefined {
  const path = find("dhcpcd");
  if (path === undefined) return undefined;
  const words = ["--nobackground", "--oneshot", "--noipv4ll", "--timeout", "0"];
  // Its own scripts, which write down the name servers, want a shell.
  const told = !exists("/bin/sh") && ownScript() ? ["--script", script] : [];
  return { command: (name) => [path, ...words, ...told, name] };
}

/** Milliseconds that udev's own programs may take. */
const longestUdev = 10_000;

/** It takes interfaces that udev knows (sd-device), where /sys can be written to. */
function networkd(): Client | undefined {
  const path = find("systemd-networkd");
  // By the interface's own address: an initramfs has no /etc/machine-id, of which another identity would be made.
  const identity = "[DHCPv4]\nClientIdentifier=mac\n[DHCPv6]\nDUIDType=link-layer\n";
  const rule = `[Match]\nType=ether\n[Network]\nDHCP=yes\nIPv6AcceptRA=yes\n${identity}`;
  // Last in its order: what the initramfs has of its own counts.
  const place = "/run/systemd/network/zz-aegis-kexec.network";
  if (path === undefined || !writePlace(place, rule, 0o644)) return undefined;
  const [udevd, udevadm] = [find("systemd-udevd"), find("udevadm")];
  let started = false;
  return {
    command: () => {
      if (started) return undefined;
      started = true;
      if (udevd !== undefined && udevadm !== undefined && !exists("/run/udev/control")) {
        const how = { stdin: "ignore", stdout: "ignore", stderr: "ignore" } as const;
        const limits = { env: environment, timeout: longestUdev };
        Bun.spawnSync([udevd, "--daemon"], { ...how, ...limits });
        const add = ["trigger", "--action=add", "--subsystem-match=net"];
        Bun.spawnSync([udevadm, ...add], { ...how, ...limits });
      }
      return [path];
    },
    bound: () => {
      const file = readText("/run/systemd/netif/state");
      const line = file.ok ? /^DNS=(.*)$/m.exec(file.text)?.[1] : undefined;
      if (line !== undefined) setNameServers(line.split(" ").filter((word) => word !== ""));
    },
  };
}
