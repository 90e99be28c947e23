/**
 * The network of the first process, where the kernel's `ip=` has not set it up: interfaces are switched on, and for
 * each that gets a link the DHCP client is run that the initramfs has. IPv6 comes by router advertisements, of itself.
 */
import { errnoText } from "../../errno.ts";
import { moduleLoader } from "../../linux/device/modules.ts";
import { type NetworkInterface, readInterfaces } from "../../linux/network/interfaces.ts";
import { interfaceIndex, switchOn } from "../../linux/network/netlink.ts";
import { writePlace } from "../../linux/network/place.ts";
import { exists } from "../../linux/path.ts";
import { leaseArgument, takeKernelNameServers } from "./lease.ts";

interface Words {
  warn(line: string): void;
  note(line: string): void;
}

/** Milliseconds until the first look at a server is worth while without an address: it is repeated anyway. */
const patience = 10_000;
const stepMs = 100;
/** A link may come late, as through a switch that looks for loops first. */
const longest = 600_000;

/** What the first process does not find in its environment. */
const environment = { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" };
const script = "/run/aegis-kexec/lease";

/** Begins it, and returns once there is an address, or it is no use to wait. */
export async function setUpNetwork(words: Words): Promise<void> {
  const loopback = interfaceIndex("lo");
  if (loopback !== undefined) switchOn(loopback);
  takeKernelNameServers();
  if (readInterfaces().some(hasAddress)) return words.note("the network is set up already");
  const setUp = new SetUp(words);
  const end = performance.now() + patience;
  while (performance.now() < end) {
    if (setUp.look()) return;
    await Bun.sleep(stepMs);
  }
  // What comes later is found by the attempts that the request goes on with.
  const timer = setInterval(() => {
    if (setUp.look() || performance.now() > end + longest) clearInterval(timer);
  }, stepMs);
}

function hasAddress({ addresses }: NetworkInterface): boolean {
  return addresses.length > 0;
}

class SetUp {
  private readonly switched = new Set<string>();
  private readonly asked = new Set<string>();
  private readonly client = findClient();

  constructor(private readonly words: Words) {
    if (this.client === undefined) {
      words.warn(
        "there is no DHCP client (udhcpc or dhcpcd), and ip= set nothing up: only IPv6 gets an address of itself",
      );
    }
  }

  /** @returns whether an interface has an address */
  look(): boolean {
    const interfaces = readInterfaces();
    // Its driver may bring a device that asks for another module.
    if (interfaces.length === 0) moduleLoader()?.devices();
    for (const { name, up, carrier } of interfaces) {
      if (!up) this.switchOn(name);
      else if (carrier) this.ask(name);
    }
    return interfaces.some(hasAddress);
  }

  private switchOn(name: string): void {
    const index = this.switched.has(name) ? undefined : interfaceIndex(name);
    if (index === undefined) return;
    this.switched.add(name);
    const result = switchOn(index);
    if (result < 0) {
      this.words.warn(`${name} cannot be switched on: ${errnoText(-result).toLowerCase()}`);
    }
  }

  private ask(name: string): void {
    if (this.client === undefined || this.asked.has(name)) return;
    this.asked.add(name);
    const command = this.client(name);
    this.words.note(`asking for an address: ${command.join(" ")}`);
    try {
      const child = Bun.spawn([...command], {
        ...{ stdin: "ignore", stdout: "ignore", stderr: "ignore", env: environment },
      });
      child.unref();
    } catch {
      this.words.warn(`${command[0]} cannot be started`);
    }
  }
}

type Client = (name: string) => readonly string[];

const folders = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

function find(name: string): string | undefined {
  return folders.map((folder) => `${folder}/${name}`).find(exists);
}

/** How the client of this initramfs is asked for one lease. */
function findClient(): Client | undefined {
  const udhcpc = find("udhcpc");
  const busybox = udhcpc === undefined ? find("busybox") : undefined;
  const own = udhcpc !== undefined ? [udhcpc] : busybox !== undefined ? [busybox, "udhcpc"] : [];
  // The script is this program: it needs no shell, and nothing that a shell would call.
  const written =
    own.length > 0 && writePlace(script, `#!${process.execPath} ${leaseArgument}\n`, 0o755);
  if (written) {
    const often = ["-t", "5", "-T", "2", "-A", "3"];
    return (name) => [...own, "-i", name, "-f", "-q", ...often, "-s", script];
  }
  const dhcpcd = find("dhcpcd");
  if (dhcpcd === undefined) return undefined;
  return (name) => [dhcpcd, "--nobackground", "--oneshot", "--noipv4ll", "--timeout", "0", name];
}
