/** The network interfaces of this machine: Documentation/ABI/testing/sysfs-class-net. */
import { networkInterfaces } from "node:os";
import { KexecError } from "../../errors.ts";
import { readText } from "../descriptor.ts";
import { namesIn } from "../directory.ts";
import { Folder } from "../file.ts";

export interface NetworkInterface {
  readonly name: string;
  /** Whether it is switched on. */
  readonly up: boolean;
  /** Whether it has a link: a cable with something at its other end, a joined radio network. */
  readonly carrier: boolean;
  /** Those by which others are reached: neither of the link alone nor of this machine alone. */
  readonly addresses: readonly string[];
}

/** Interfaces that are looked at. */
const mostInterfaces = 1024;
/** include/uapi/linux/if_arp.h: ARPHRD_LOOPBACK */
const loopback = "772";
/** include/uapi/linux/if.h */
const IFF_UP = 1;

/** All but the loopback interface, in the order of their names. */
export function readInterfaces(): readonly NetworkInterface[] {
  const addresses = networkInterfaces();
  const own = (name: string) => addresses[name] ?? [];
  // Without /sys those that have an address are known.
  const found = namesInSys() ?? Object.keys(addresses).filter((name) => !own(name)[0]?.internal);
  return found
    .toSorted()
    .filter((name) => attribute(name, "type") !== loopback)
    .map((name) => {
      const flags = attribute(name, "flags");
      return {
        name,
        up: flags === undefined || (Number(flags) & IFF_UP) !== 0,
        // Reading it fails with EINVAL where the interface is off.
        carrier: flags === undefined || attribute(name, "carrier") === "1",
        addresses: own(name)
          .map(({ address }) => address)
          .filter((address) => !/^(fe[89ab]|169\.254\.)/i.test(address)),
      };
    });
}

/** Undefined where /sys is not mounted. */
function namesInSys(): readonly string[] | undefined {
  try {
    using folder = Folder.open("/sys/class/net");
    return namesIn(folder, ".", mostInterfaces);
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}

function attribute(name: string, of: string): string | undefined {
  const file = readText(`/sys/class/net/${name}/${of}`, 64);
  return file.ok ? file.text.trim() : undefined;
}
