/** Disks and partitions as sysfs has them: /sys/class/block. udev is not needed. */
import { readText } from "../descriptor.ts";
import { namesIn } from "../directory.ts";
import { Folder } from "../file.ts";
import { exists, readLink } from "../path.ts";

export interface BlockDevice {
  /** The kernel's: `sda1`. */
  readonly name: string;
  /** Its node: `/dev/sda1`. */
  readonly path: string;
  /** `major:minor` */
  readonly number: string;
  /** Bytes. */
  readonly size: number;
  /** Undefined for a whole disk. */
  readonly partition:
    | {
        readonly number: number;
        /** The kernel's name of the disk that it is a part of. */
        readonly disk: string;
        readonly name: string | undefined;
        /** Undefined before Linux 6.13, too: then the table has to be read. */
        readonly uuid: string | undefined;
      }
    | undefined;
  /** What tells that two devices are paths to one disk; undefined where nothing tells it for certain. */
  readonly worldWideId: string | undefined;
  /** Bytes of a logical block of its disk. */
  readonly blockSize: number;
}

/** Devices that are looked at; a machine with more is not served worse by those that come later. */
const mostDevices = 4096;
/** Documentation/admin-guide/devices.txt: memory disks, and floppies, which take seconds to say that they are empty. */
const passedMajors = /^(1|2):/;

/**
 * Devices that can hold a file system of their own, in the order of their names. Left out: empty ones, what
 * another device is built of (device mapper, md, bcache), and the hidden paths of an NVMe.
 */
export function blockDevices(sys = "/sys", dev = "/dev"): readonly BlockDevice[] {
  const root = `${sys}/class/block`;
  if (!exists(root)) return [];
  using folder = Folder.open(root);
  const names = (namesIn(folder, ".", mostDevices) ?? []).slice(0, mostDevices);
  const order = new Intl.Collator("en", { numeric: true });
  return names
    .toSorted((one, other) => order.compare(one, other))
    .flatMap((name) => deviceOf(root, name, dev) ?? []);
}

function deviceOf(root: string, name: string, dev: string): BlockDevice | undefined {
  const folder = `${root}/${name}`;
  const event = eventWords(`${folder}/uevent`);
  const major = event.get("MAJOR");
  const minor = event.get("MINOR");
  const node = event.get("DEVNAME");
  const sectors = Number(textOf(`${folder}/size`) ?? "0");
  if (major === undefined || minor === undefined || node === undefined) return undefined;
  const number = `${major}:${minor}`;
  // The unit is 512 bytes whatever the device's blocks are: include/linux/blk_types.h.
  if (!Number.isSafeInteger(sectors * 512) || sectors <= 0) return undefined;
  if (passedMajors.test(number) || node.split("/").includes("..")) return undefined;
  if (textOf(`${folder}/hidden`) === "1" || isBuiltUpon(folder)) return undefined;
  const partition = partitionOf(folder, event);
  const disk = partition === undefined ? folder : `${root}/${partition.disk}`;
  return {
    name,
    path: `${dev}/${node}`,
    number,
    size: sectors * 512,
    partition,
    worldWideId: worldWideId(disk),
    blockSize: Number(textOf(`${disk}/queue/logical_block_size`) ?? "512") || 512,
  };
}

function partitionOf(folder: string, event: ReadonlyMap<string, string>): BlockDevice["partition"] {
  const number = textOf(`${folder}/partition`);
  const disk = linkParts(folder).at(-2);
  if (number === undefined || disk === undefined) return undefined;
  return {
    number: Number(number),
    disk,
    name: event.get("PARTNAME"),
    uuid: event.get("PARTUUID"),
  };
}

function linkParts(path: string): readonly string[] {
  const target = readLink(path);
  return typeof target === "string" ? target.split("/") : [];
}

/** Device mapper, md and bcache name themselves so below what they have taken. */
function isBuiltUpon(folder: string): boolean {
  const path = `${folder}/holders`;
  if (!exists(path)) return false;
  using holders = Folder.open(path);
  return (namesIn(holders, ".", 1) ?? []).length > 0;
}

/** Sticks of one make may have one number, so that over USB it says nothing. */
function worldWideId(disk: string): string | undefined {
  if (linkParts(disk).some((part) => /^usb\d/.test(part))) return undefined;
  const id = textOf(`${disk}/wwid`) ?? textOf(`${disk}/device/wwid`);
  return id === undefined || id.trim() === "" ? undefined : id.trim();
}

function eventWords(path: string): ReadonlyMap<string, string> {
  const lines = (textOf(path) ?? "").split("\n");
  return new Map(
    lines.map((line) => {
      const equals = line.indexOf("=");
      return [line.slice(0, equals), line.slice(equals + 1)] as const;
    }),
  );
}

function textOf(path: string): string | undefined {
  const file = readText(path);
  return file.ok ? file.text : undefined;
}
