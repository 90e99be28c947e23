/** The file systems that are mounted, as devices of a menu: what `search` of GRUB looks at. */

import { KexecError } from "../../errors.ts";
import { readSuperblock } from "../../image/superblock/superblock.ts";
import { openDevice } from "../../linux/block-device.ts";
import { blockFileSystems, type Mount, readMounts } from "../../linux/mounts.ts";
import type { DeviceFacts } from "../../menu/host.ts";
import { FolderTree } from "../folder-tree.ts";
import { findMount } from "../iso/holder.ts";
import type { FileTree } from "../kind.ts";
import type { Device } from "./tree-host.ts";

const mostDevices = 256;

/** The file system that a path of this machine is on. */
export interface FileSystemOf {
  readonly mount: Mount;
  /** From the root of the mount, with a slash in front. */
  readonly path: string;
}

/** Undefined where it is on no block device, or that cannot be told. */
export function fileSystemOf(canonicalPath: string): FileSystemOf | undefined {
  const mounts = readMounts();
  if (typeof mounts === "number") return undefined;
  const mount = findMount(mounts, `${canonicalPath.replace(/\/$/, "")}/.`, undefined);
  if (mount === undefined) return undefined;
  const path = canonicalPath.slice(mount.mountPoint.replace(/\/$/, "").length);
  return { mount, path: path === "" ? "/" : path };
}

/** What a mount's device says of its file system; empty where it is none, or cannot be read. */
export function factsOf(mount: Mount): DeviceFacts {
  if (!mount.source.startsWith("/dev/")) return {};
  const opened = openDevice(mount.source);
  if (typeof opened === "number") return {};
  using device = opened;
  try {
    const found = readSuperblock(device);
    if (found?.kind !== "file-system") return {};
    return { uuid: found.uuid, label: found.label, type: found.type };
  } catch (error) {
    if (error instanceof KexecError || error instanceof RangeError) return {};
    throw error;
  }
}

/** Every other file system on a block device; their roots are closed with `held`. */
export function otherDevices(own: Mount | undefined, held: DisposableStack): readonly Device[] {
  const mounts = readMounts();
  if (typeof mounts === "number") return [];
  return blockFileSystems(mounts)
    .filter(({ mount }) => mount.device !== own?.device)
    .slice(0, mostDevices)
    .flatMap(({ mount }, index): Device[] => {
      const tree = openTree(mount.mountPoint);
      if (tree === undefined) return [];
      const trees: readonly FileTree[] = [held.use(tree)];
      return [{ name: `disk${index}`, trees, facts: () => factsOf(mount) }];
    });
}

export function openTree(path: string): FolderTree | undefined {
  try {
    return FolderTree.open(path);
  } catch (error) {
    if (error instanceof KexecError) return undefined;
    throw error;
  }
}

/**
 * A file of this machine as another system finds it, wherever that mounts the file system: by its UUID,
 * else by the path that it has here.
 */
export function lastingPlace(canonicalPath: string): string {
  const system = fileSystemOf(canonicalPath);
  const uuid = system === undefined ? undefined : factsOf(system.mount).uuid;
  return system === undefined || uuid === undefined ? canonicalPath : `UUID=${uuid}:${system.path}`;
}
