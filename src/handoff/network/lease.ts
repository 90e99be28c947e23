/** What a DHCP client was given, by the words in which udhcpc tells it to its script; and name servers. */
import { readText } from "../../linux/descriptor.ts";
import { addAddress, addGateway, interfaceIndex, switchOn } from "../../linux/network/netlink.ts";
import { writePlace } from "../../linux/network/place.ts";
import { addressBytes, nameServersIn } from "../../source/network/reach.ts";

export interface Lease {
  readonly interface: string;
  readonly address: Uint8Array;
  readonly prefix: number;
  readonly gateways: readonly Uint8Array[];
  readonly nameServers: readonly string[];
  readonly search: string | undefined;
}

/** Name servers that libc asks: MAXNS, resolv.h */
const mostNameServers = 3;

/** Undefined where the words make no lease: what a server says is untrusted. */
export function leaseIn(words: Readonly<Record<string, string | undefined>>): Lease | undefined {
  const name = words["interface"] ?? "";
  const address = addressBytes(words["ip"] ?? "");
  if (!/^[^/\s]{1,15}$/.test(name) || name.startsWith(".") || address?.byteLength !== 4) {
    return undefined;
  }
  return {
    interface: name,
    address,
    prefix: prefixOf(words["mask"], words["subnet"]),
    gateways: listed(words["router"]).flatMap((word) => {
      const bytes = addressBytes(word);
      return bytes?.byteLength === 4 ? [bytes] : [];
    }),
    nameServers: serversIn(words["dns"]),
    search: domains(words["search"] ?? words["domain"]),
  };
}

function listed(words: string | undefined): readonly string[] {
  return (words ?? "").split(/\s+/).filter((word) => word !== "");
}

function serversIn(words: string | undefined): readonly string[] {
  return listed(words)
    .filter((word) => addressBytes(word) !== undefined)
    .slice(0, mostNameServers);
}

/** Undefined where they are none. */
function domains(words: string | undefined): string | undefined {
  return words !== undefined && /^[\w.-]+( [\w.-]+)*$/.test(words) ? words : undefined;
}

/** busybox gives the number of bits as `mask`, and the mask itself as `subnet`. */
function prefixOf(mask: string | undefined, subnet: string | undefined): number {
  if (mask !== undefined && /^\d{1,2}$/.test(mask) && Number(mask) <= 32) return Number(mask);
  const bytes = addressBytes(subnet ?? "");
  if (bytes?.byteLength !== 4) return 24;
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, "0")).join("");
  const ones = bits.indexOf("0");
  return ones < 0 ? 32 : ones;
}

/** @returns -errno of the first step that was refused, or 0 */
export function applyLease(lease: Lease): number {
  const index = interfaceIndex(lease.interface);
  if (index === undefined) return 0;
  const added = addAddress(index, lease.address, lease.prefix);
  if (added < 0) return added;
  const [gateway] = lease.gateways;
  const routed = gateway === undefined ? 0 : addGateway(index, gateway);
  setNameServers(lease.nameServers, lease.search);
  return routed;
}

const resolvConf = "/etc/resolv.conf";

/** Those that somebody set are left as they are. */
export function setNameServers(given: readonly string[], search?: string): void {
  const file = readText(resolvConf);
  const addresses = given.filter((one) => addressBytes(one) !== undefined);
  if (addresses.length === 0 || (file.ok && nameServersIn(file.text).length > 0)) return;
  const lines = [
    ...(search === undefined ? [] : [`search ${search}`]),
    ...addresses.map((address) => `nameserver ${address}`),
  ];
  writePlace(resolvConf, `${lines.join("\n")}\n`, 0o644);
}

/** What dhcpcd tells its script: dhcpcd-run-hooks(8). */
export function nameServersOfDhcpcd(words: Readonly<Record<string, string | undefined>>) {
  return {
    servers: serversIn(words["new_domain_name_servers"]),
    search: domains(words["new_domain_search"] ?? words["new_domain_name"]),
  };
}

/** Those of `ip=` on the kernel's command line: Documentation/admin-guide/nfs/nfsroot.rst. */
export function takeKernelNameServers(): void {
  const file = readText("/proc/net/pnp");
  if (!file.ok) return;
  const known = nameServersIn(file.text).filter((address) => address !== "0.0.0.0");
  setNameServers(known);
}

/** The word in front of what `takeLease` is told. */
export const leaseArgument = "internal:lease";

/**
 * Called as udhcpc's script: `bound` or `renew`, with the lease in the environment; or as dhcpcd's, with `reason`
 * there, which has set the address itself.
 */
export function takeLease(
  event: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): void {
  if (event === undefined) {
    const { servers, search } = nameServersOfDhcpcd(environment);
    setNameServers(servers, search);
  }
  if (event === "deconfig") {
    const index = interfaceIndex(environment["interface"] ?? "");
    if (index !== undefined) switchOn(index);
  }
  if (event !== "bound" && event !== "renew") return;
  const lease = leaseIn(environment);
  if (lease !== undefined) applyLease(lease);
}
