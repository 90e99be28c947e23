/** What the disks of this machine hold, by their superblocks. */
import { errnoText } from "../../errno.ts";
import { KexecError } from "../../errors.ts";
import type { ByteSource } from "../../image/bytes.ts";
import { readIso9660 } from "../../image/iso9660.ts";
import { partitionUuid } from "../../image/partition-table.ts";
import { readSuperblock } from "../../image/superblock/superblock.ts";
import { openDevice } from "../../linux/block-device.ts";
import { type BlockDevice, blockDevices } from "../../linux/device/block.ts";

/** A file system that could be mounted. */
export interface HeldSystem {
  readonly type: string;
  readonly label: string | undefined;
  readonly uuid: string | undefined;
  /** See `FileSystem.member`. */
  readonly member: string | undefined;
}

export interface Probed {
  readonly device: BlockDevice;
  readonly partUuid: string | undefined;
  /** Or, in words that follow a colon, why there is none to mount. */
  readonly held: HeldSystem | string;
}

/** Looks at every device. One that cannot be read says so, and holds up none of the others. */
export function probeAll(
  devices: readonly BlockDevice[] = blockDevices(),
  probe: (device: BlockDevice) => HeldSystem | string = probeDevice,
): readonly Probed[] {
  return devices.map((device) => ({
    device,
    partUuid: device.partition?.uuid ?? recordedUuid(device, devices),
    held: probe(device),
  }));
}

function probeDevice({ path }: BlockDevice): HeldSystem | string {
  return reading(path, heldBy) ?? "no file system that is known";
}

function recordedUuid(
  { partition }: BlockDevice,
  devices: readonly BlockDevice[],
): string | undefined {
  const disk = devices.find(({ name }) => name === partition?.disk);
  if (partition === undefined || disk === undefined) return undefined;
  const found = reading(disk.path, (bytes) => {
    const uuid = partitionUuid(bytes, partition.number, disk.blockSize);
    return uuid === undefined ? undefined : { uuid };
  });
  return typeof found === "object" ? found.uuid : undefined;
}

function reading<T>(path: string, look: (bytes: ByteSource) => T): T | string {
  const opened = openDevice(path);
  if (typeof opened === "number") return `it cannot be read: ${errnoText(-opened).toLowerCase()}`;
  using device = opened;
  try {
    return look(device);
  } catch (error) {
    if (error instanceof KexecError) return error.message;
    throw error;
  }
}

/** What a device holds; undefined where that is nothing known. */
export function heldBy(source: ByteSource): HeldSystem | string | undefined {
  const found = readSuperblock(source);
  switch (found?.kind) {
    case "file-system":
      return found;
    case "member":
      return `a member of ${found.of}`;
    case "ambiguous":
      return `the marks of ${found.types.join(" and ")} together`;
    case undefined: {
      const iso = readIso9660(source);
      if (iso === undefined || iso.kind === "broken") return iso?.why;
      return { type: "iso9660", label: iso.label || undefined, uuid: iso.uuid, member: undefined };
    }
  }
}
