/** The file system that holds an ISO image: how the next system finds the image on it. */

import { readSuperblock } from "../../image/superblock/superblock.ts";
import { openDevice } from "../../linux/block-device.ts";
import { readText } from "../../linux/descriptor.ts";
import { isInMemory, isOnBlockDevice, type Mount, readMounts } from "../../linux/mounts.ts";
import { exists, linkedName, mountIdOf, statusOf } from "../../linux/path.ts";
import type { IsoPlace } from "../../menu/iso-words.ts";

export interface Holder extends IsoPlace {
  /** The file system's type, by its mount or its superblock; undefined where it is not known. */
  readonly type: string | undefined;
  /** Why the next system will not find the image there, in words that follow `it`. */
  readonly unreachable: string | undefined;
}

/** File systems that every live system has its modules for: to see that costs the unpacking of all archives. */
export const readByAll = /^(?:ext[234]|vfat|iso9660)$/;

export interface HeldByFileSystem {
  readonly fd: number;
  readonly canonicalPath: string;
}

/** Where the image is, by /proc/self/mountinfo; a file of a mount that is not listed is below its root. */
export function holderOf(file: HeldByFileSystem): Holder {
  const mounts = readMounts();
  const id = mountIdOf(file.fd);
  const mount = typeof mounts === "number" ? undefined : findMount(mounts, file.canonicalPath, id);
  const path = mount === undefined ? file.canonicalPath : pathOn(mount, file.canonicalPath);
  const status = statusOf(file.fd);
  const device = typeof status === "number" ? undefined : deviceOf(mount, status.device);
  const found = device === undefined ? undefined : readFileSystem(device);
  const uuid = found?.uuid ?? (device === undefined ? undefined : recordedUuid(device));
  return {
    path,
    uuid,
    type: mount?.type ?? found?.type,
    unreachable: mount === undefined ? undefined : unreachable(mount),
  };
}

/** By its id; without one the mount with the longest path above the file, the last of several. */
export function findMount(
  mounts: readonly Mount[],
  path: string,
  id: number | undefined,
): Mount | undefined {
  if (id !== undefined) return mounts.find((mount) => mount.id === id);
  return mounts
    .filter(({ mountPoint }) => isBelow(path, mountPoint))
    .toSorted((one, other) => one.mountPoint.length - other.mountPoint.length)
    .at(-1);
}

/** Also in a subvolume and on a bind mount, whose root is a directory of the file system. */
export function pathOn({ root, mountPoint }: Mount, path: string): string {
  const below = isBelow(path, mountPoint) ? path.slice(mountPoint.replace(/\/$/, "").length) : path;
  return `${root.replace(/\/$/, "")}${below}`;
}

function isBelow(path: string, folder: string): boolean {
  return path.startsWith(folder.endsWith("/") ? folder : `${folder}/`);
}

function unreachable(mount: Mount): string | undefined {
  if (isInMemory(mount)) {
    return `lies in memory (${mount.type}), and is gone after the jump`;
  }
  if (!isOnBlockDevice(mount)) {
    return `lies on ${mount.type}, and live systems look for it on disks`;
  }
  return /^\/dev\/loop\d/.test(mount.source)
    ? `lies on a loop device (${mount.source}), which the next system does not have`
    : undefined;
}

interface Device {
  /** `major:minor` */
  readonly number: string;
  readonly path: string;
}

/** File systems of several devices have a number of their own: there the mount names the device. */
function deviceOf(mount: Mount | undefined, number: string): Device | undefined {
  const path = mount?.source;
  const named = path?.startsWith("/dev/") === true && exists(path) ? path : undefined;
  const name = linkedName(`/sys/dev/block/${number}`);
  if (named !== undefined) return { number, path: named };
  return name === undefined ? undefined : { number, path: `/dev/${name.replaceAll("!", "/")}` };
}

/** What udev has recorded, for those who may not read the device. */
function recordedUuid({ number }: Device): string | undefined {
  const record = readText(`/run/udev/data/b${number}`);
  if (!record.ok) return undefined;
  return /^E:ID_FS_UUID=([0-9A-Za-z-]{1,64})$/m.exec(record.text)?.[1];
}

/** By its superblock; undefined where the device cannot be read, or holds none that is known. */
function readFileSystem({ path }: Device) {
  const opened = openDevice(path);
  if (typeof opened === "number") return undefined;
  using device = opened;
  const found = readSuperblock(device);
  return found?.kind === "file-system" ? found : undefined;
}
