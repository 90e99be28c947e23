/**
 * The network of the first process, where the kernel's `ip=` has not set it up: interfaces are switched on, and for
 * each that gets a link the DHCP client is run that the initramfs has. IPv6 comes by router advertisements, of itself.
 */
import { errnoText } from "../../errno.ts";
import { moduleLoader } from "../../linux/device/modules.ts";
import { type NetworkInterface, readInterfaces } from "../../linux/network/interfaces.ts";
import { interfaceIndex, switchOn } from "../../linux/network/netlink.ts";
import { visible } from "../../visible.ts";
import { environment, findClient } from "./clients.ts";
import { takeKernelNameServers } from "./lease.ts";

interface Words {
  warn(line: string): void;
  note(line: string): void;
}

/** Milliseconds until the first look at a server is worth while without an address: it is repeated anyway. */
const patience = 10_000;
const stepMs = 100;
const laterMs = 500;
/** A link may come late, as through a switch that looks for loops first. */
const longest = 600_000;

/** Begins it, and returns once there is an address, or it is no use to wait. */
export async function setUpNetwork(words: Words): Promise<void> {
  const loopback = interfaceIndex("lo");
  if (loopback !== undefined) switchOn(loopback);
  takeKernelNameServers();
  if (readInterfaces().some(hasAddress)) return words.note("the network is set up already");
  const setUp = new SetUp(words);
  const begin = performance.now();
  while (!setUp.look() && performance.now() - begin < patience) await Bun.sleep(stepMs);
  // What comes later, as a second link, is found by the attempts that the request goes on with.
  const timer = setInterval(() => {
    setUp.look();
    if (performance.now() - begin > longest) clearInterval(timer);
  }, laterMs);
  timer.unref();
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
        "there is no DHCP client (udhcpc, dhcpcd or systemd-networkd), and ip= set nothing up: only IPv6 gets an address of itself",
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
    const bound = interfaces.some(hasAddress);
    if (bound) this.client?.bound?.();
    return bound;
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
    const command = this.client.command(name);
    if (command === undefined) return;
    this.words.note(`asking for an address: ${command.join(" ")}`);
    try {
      const child = Bun.spawn([...command], {
        ...{ stdin: "ignore", stdout: "ignore", stderr: "pipe", env: environment },
      });
      void this.hear(name, child);
    } catch {
      this.words.warn(`${command[0]} cannot be started`);
    }
  }

  /** What it says is of use where it ends without a lease. */
  private async hear(
    name: string,
    child: Bun.Subprocess<"ignore", "ignore", "pipe">,
  ): Promise<void> {
    let last = "";
    const decoder = new TextDecoder();
    for await (const bytes of child.stderr) {
      const lines = (last + decoder.decode(bytes, { stream: true })).slice(-4096).split("\n");
      last = lines.pop() ?? "";
      for (const line of lines) this.words.note(`${name}: ${visible(line)}`);
    }
    const exit = await child.exited;
    if (exit !== 0) this.words.warn(`the DHCP client of ${name} ended with ${exit}`);
  }
}
