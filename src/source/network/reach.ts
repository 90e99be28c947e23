/** Why a server cannot be reached: asked of this machine once it failed, the nearest cause first. */
import { errnoName } from "../../errno.ts";
import { readText } from "../../linux/descriptor.ts";
import { tryConnect } from "../../linux/network/connect.ts";
import { type NetworkInterface, readInterfaces } from "../../linux/network/interfaces.ts";
import { Failure, passing } from "./failure.ts";

/** What is asked of this machine. */
export interface Surroundings {
  interfaces(): readonly NetworkInterface[];
  /** Addresses of a name; none where it is not found. */
  resolve(name: string): Promise<readonly string[]>;
  nameServers(): readonly string[];
  /** 0, or the errno. */
  connect(address: string, port: number): number;
}

/** Milliseconds for each address: it failed a moment ago. */
const patience = 1500;
/** Addresses that are tried. */
const mostAddresses = 4;

const surroundings: Surroundings = {
  interfaces: readInterfaces,
  resolve: async (name) => {
    try {
      return (await Bun.dns.lookup(name, {})).map(({ address }) => address);
    } catch {
      return [];
    }
  },
  nameServers: () => {
    const file = readText("/etc/resolv.conf");
    return file.ok ? nameServersIn(file.text) : [];
  },
  connect: (address, port) => {
    const bytes = addressBytes(address);
    return bytes === undefined ? 0 : tryConnect(bytes, port, patience);
  },
};

/** As resolv.conf(5) names them; /proc/net/pnp is such a file too. */
export function nameServersIn(text: string): readonly string[] {
  return [...text.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, address = ""]) => address);
}

/** Why the server of a URL cannot be reached. */
export async function reachFailure(url: URL, around = surroundings): Promise<Failure> {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  const port = Number(url.port) || (url.protocol === "https:" ? 443 : 80);
  const literal = addressBytes(host) !== undefined;
  const addresses = literal ? [host] : await around.resolve(host);
  if (!addresses.some(isLoopback)) {
    const cut = interfaceFailure(around.interfaces());
    if (cut !== undefined) return cut;
  }
  if (addresses.length === 0) {
    const none = around.nameServers().length === 0;
    return passing(
      "name-not-found",
      none
        ? `the address of ${host} is not known, and no name server is set`
        : `no name server knows ${host}`,
      none
        ? "name the server by its address, or write 'nameserver ADDRESS' into /etc/resolv.conf"
        : "the server may be named by its address, too",
    );
  }
  const errnos = addresses.slice(0, mostAddresses).map((address) => around.connect(address, port));
  const names = errnos.map((errno) => errnoName(errno));
  const has = (...wanted: string[]) => names.find((name) => wanted.includes(name));
  const to = `${addresses[0]}${literal ? "" : ` (${host})`}`;
  const refusing = has("ECONNREFUSED");
  if (refusing !== undefined) {
    return withErrno(
      refusing,
      "connection-refused",
      `${to} takes no connections on port ${port}`,
      "start the server; a firewall may refuse as well",
    );
  }
  const unreachable = has(
    "ENETUNREACH",
    "EHOSTUNREACH",
    "EADDRNOTAVAIL",
    "ENETDOWN",
    "EHOSTDOWN",
    "EACCES",
    "EPERM",
  );
  if (unreachable !== undefined) {
    return withErrno(
      unreachable,
      "no-route",
      `there is no route to ${to}`,
      "ip route get ADDRESS tells where packets go; a gateway may be missing, or down",
    );
  }
  if (errnos.includes(0)) {
    return passing(
      "transfer-cut",
      `${to} takes connections on port ${port} now, and did not a moment ago`,
      "try again: the server may be starting",
    );
  }
  return passing(
    "stalled",
    `${to} does not answer on port ${port}`,
    "the machine may be down, or a firewall drops what is sent to it",
  );
}

function withErrno(
  errno: string,
  code: Failure["failure"]["code"],
  why: string,
  hint: string,
): Failure {
  return new Failure({ code, why, hint, errno }, true);
}

/** Undefined where at least one interface could reach others. */
function interfaceFailure(interfaces: readonly NetworkInterface[]): Failure | undefined {
  if (interfaces.length === 0) {
    return passing(
      "no-interface",
      "this machine has no network interface",
      "its driver may be missing: put its module into the initramfs",
    );
  }
  const names = (of: readonly NetworkInterface[]) => of.map(({ name }) => name).join(", ");
  if (interfaces.some(({ addresses }) => addresses.length > 0)) return undefined;
  const linked = interfaces.filter(({ carrier }) => carrier);
  if (linked.length > 0) {
    return passing(
      "no-address",
      `${names(linked)} has no address`,
      "give ip=dhcp or ip=… on the kernel command line, or run a DHCP client",
    );
  }
  return passing(
    "no-link",
    interfaces.some(({ up }) => up)
      ? `${names(interfaces)} has no link`
      : `${names(interfaces)} is switched off`,
    "is the cable plugged in at both ends? ip link set NAME up switches an interface on",
  );
}

function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** The bytes of an address as it is written; undefined for a name. Scopes of IPv6 are not known here. */
export function addressBytes(text: string): Uint8Array | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) {
    const bytes = text.split(".").map(Number);
    return bytes.every((byte) => byte < 256) ? Uint8Array.from(bytes) : undefined;
  }
  if (!text.includes(":") || !URL.canParse(`http://[${text}]/`)) return undefined;
  const { hostname } = new URL(`http://[${text}]/`);
  const [before = "", after] = hostname.slice(1, -1).split("::");
  const words = (part: string) => (part === "" ? [] : part.split(":"));
  const head = words(before);
  const tail = words(after ?? "");
  const all = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail];
  return Uint8Array.from(
    all.flatMap((word) => {
      const value = Number.parseInt(word, 16);
      return [value >> 8, value & 255];
    }),
  );
}
