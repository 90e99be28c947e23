/** What is mounted, /proc/self/mountinfo, and remounting it read-only: proc_pid_mountinfo(5). */

import { EINVAL } from "../errno.ts";
import { nameBytes, nameText } from "../name-bytes.ts";
import {
  callThroughSignals,
  close,
  cString,
  O_RDONLY,
  O_WRONLY,
  open,
  readText,
} from "./descriptor.ts";
import { libc } from "./libc.ts";

export interface Mount {
  readonly id: number;
  readonly parent: number;
  /** `major:minor` of the super block. */
  readonly device: string;
  /** The directory of the file system that is mounted: `/`, a subvolume's, a bind mount's. */
  readonly root: string;
  readonly mountPoint: string;
  /** Options of the mount, such as `nosuid`. */
  readonly options: readonly string[];
  readonly type: string;
  readonly source: string;
  /** Options of the super block; `ro` or `rw` is the first. */
  readonly superOptions: readonly string[];
}

/** Bytes of mountinfo that are read at the most: some thousands of mounts. */
const MOUNTINFO_MAX = 1 << 22;

/** The mounts of this process, or -errno. */
export function readMounts(): readonly Mount[] | number {
  const file = readText("/proc/self/mountinfo", MOUNTINFO_MAX, nameText);
  return file.ok ? parseMountinfo(file.text) : -file.errno;
}

/** Parses mountinfo; a line that is not of its form is left out. */
export function parseMountinfo(text: string): readonly Mount[] {
  return text.split("\n").flatMap((line) => parseLine(line) ?? []);
}

function parseLine(line: string): Mount | undefined {
  const fields = line.split(" ");
  // Optional fields end at a lone dash: fs/proc_namespace.c, show_mountinfo.
  const dash = fields.indexOf("-", 6);
  const [id, parent, device = "", root = "/", mountPoint = "", options = ""] = fields;
  const [type = "", source = "", superOptions = ""] = dash < 0 ? [] : fields.slice(dash + 1);
  if (dash < 0 || !/^\d{1,10}$/.test(id ?? "") || !/^\d{1,10}$/.test(parent ?? ""))
    return undefined;
  if (!/^\d{1,8}:\d{1,8}$/.test(device) || !mountPoint.startsWith("/") || type === "") {
    return undefined;
  }
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    root: unescapeOctal(root),
    mountPoint: unescapeOctal(mountPoint),
    options: options.split(","),
    type,
    source: unescapeOctal(source),
    superOptions: superOptions.split(","),
  };
}

/** `\040` and the like, of bytes (mangle in fs/seq_file.c). */
export function unescapeOctal(text: string): string {
  if (!text.includes("\\") && text.isWellFormed()) return text;
  const bytes: number[] = [];
  const source = nameBytes(text);
  for (let at = 0; at < source.length; at++) {
    const digits = String.fromCharCode(...source.subarray(at + 1, at + 4));
    if (source[at] === 0x5c && /^[0-3][0-7]{2}$/.test(digits)) {
      bytes.push(Number.parseInt(digits, 8));
      at += 3;
    } else {
      bytes.push(source[at] ?? 0);
    }
  }
  return nameText(Uint8Array.from(bytes));
}

/** A file system on a block device, and the one mount through which it is reached. */
export interface BlockFileSystem {
  readonly mount: Mount;
  /** It takes writes. */
  readonly writable: boolean;
}

/**
 * File systems on block devices, each once, the most nested first. One whose mounts are all covered
 * by later mounts cannot be reached, and is left out.
 */
export function blockFileSystems(mounts: readonly Mount[]): readonly BlockFileSystem[] {
  const depths = depthsOf(mounts);
  const topmost = new Map(mounts.map((mount) => [mount.mountPoint, mount.id] as const));
  const chosen = new Map<string, Mount>();
  for (const mount of mounts) {
    if (!isOnBlockDevice(mount) || topmost.get(mount.mountPoint) !== mount.id) continue;
    const known = chosen.get(mount.device);
    // The outermost mount stands for the file system: those below it are done before it.
    if (known === undefined || depth(known) > depth(mount)) chosen.set(mount.device, mount);
  }
  return [...chosen.values()]
    .sort((one, other) => depth(other) - depth(one) || other.id - one.id)
    .map((mount) => ({ mount, writable: !mount.superOptions.includes("ro") }));

  function depth(mount: Mount): number {
    return depths.get(mount.id) ?? 0;
  }
}

/**
 * A device with a major number, or a file system that uses block devices without showing one
 * (btrfs and bcachefs give each volume an anonymous number).
 */
export function isOnBlockDevice(mount: Mount): boolean {
  if (!mount.device.startsWith("0:")) return true;
  return mount.source.startsWith("/dev/") && /^(btrfs|bcachefs|zfs)$/.test(mount.type);
}

/** In memory, and so on no device; "rootfs" is a ramfs or a tmpfs (init/do_mounts.c). */
export function isInMemory({ type }: Mount): boolean {
  return type === "tmpfs" || type === "ramfs" || type === "rootfs";
}

function depthsOf(mounts: readonly Mount[]): ReadonlyMap<number, number> {
  const parents = new Map(mounts.map(({ id, parent }) => [id, parent] as const));
  const depths = new Map<number, number>();
  for (const { id } of mounts) {
    const chain: number[] = [];
    let at: number | undefined = id;
    // The root is its own parent, or its parent is not listed; a circle ends here as well.
    const seen = new Set<number>();
    while (at !== undefined && !depths.has(at) && !seen.has(at)) {
      seen.add(at);
      chain.push(at);
      at = parents.get(at);
    }
    let depth = at === undefined ? 0 : (depths.get(at) ?? 0);
    for (const one of chain.reverse()) depths.set(one, ++depth);
  }
  return depths;
}

// include/uapi/linux/mount.h
const MS_RDONLY = 1;
const MS_REMOUNT = 32;
const flagsByOption: Readonly<Record<string, number>> = {
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  mand: 64,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};

/** The MS_ flags that a mount has, without MS_RDONLY: a remount would drop what it does not name. */
export function flagsOf(mount: Mount): number {
  return [...mount.options, ...mount.superOptions].reduce(
    (flags, option) =>
      Object.hasOwn(flagsByOption, option) ? flags | (flagsByOption[option] ?? 0) : flags,
    0,
  );
}

/** Remounts a file system read-only, or writable again. Returns 0, or -errno. */
export function remount(mount: Mount, readOnly: boolean): number {
  const flags = MS_REMOUNT | flagsOf(mount) | (readOnly ? MS_RDONLY : 0);
  return callThroughSignals("mount", cString("none"), cString(mount.mountPoint), 0, flags, 0);
}

/** Flushes every file system. Returns when the kernel has, however long that takes. */
export function syncFileSystems(): void {
  libc().call("sync");
}

/** Flushes one file system, however long that takes. Returns 0, or -errno. */
export function flush(mount: Mount): number {
  const fd = open(mount.mountPoint, O_RDONLY);
  if (fd < 0) return fd;
  const result = callThroughSignals("syncfs", fd);
  close(fd);
  return result;
}

/** Flushes one file, and the folder that its name is in: that is data of its own. Returns 0, or -errno. */
export function flushFileAndName(path: string): number {
  const result = sync(path, O_WRONLY);
  const slash = path.lastIndexOf("/");
  const folder = slash > 0 ? path.slice(0, slash) : slash === 0 ? "/" : ".";
  return result < 0 ? result : sync(folder, O_RDONLY);
}

function sync(path: string, flags: number): number {
  const fd = open(path, flags);
  if (fd < 0) return fd;
  const result = callThroughSignals("fsync", fd);
  close(fd);
  // EINVAL: a device such as /dev/kmsg, or a folder of such, has nothing to flush.
  return result === -EINVAL ? 0 : result;
}
