/** The root of a disk's file system: where it is mounted already, that; else a mount that nobody else sees. */
import { EACCES, EBUSY, ENODEV, ENOSYS, EPERM, errnoName, errnoText } from "../../errno.ts";
import { cannot, type KexecError } from "../../errors.ts";
import { type MountFailure, mountDetached } from "../../linux/detached-mount.ts";
import { moduleLoader } from "../../linux/device/modules.ts";
import { Folder } from "../../linux/file.ts";
import { type Mount, readMounts } from "../../linux/mounts.ts";
import { mountIdOf } from "../../linux/path.ts";
import type { Holding, OneSystem } from "./choose.ts";
import type { DiskPlace } from "./name.ts";

/**
 * How each type is mounted without a write to the disk, its journal's replay among them: it may belong to a
 * system that is hibernated. Documentation/filesystems/ext4, admin-guide/xfs.rst; btrfs(5).
 */
const ways: Readonly<Record<string, readonly (readonly [type: string, ...options: string[]])[]>> = {
  // One driver serves all three, where the kernel has not one of ext2's own.
  ext2: [["ext4", "noload"], ["ext2"]],
  ext3: [["ext4", "noload"]],
  ext4: [["ext4", "noload"]],
  xfs: [["xfs", "norecovery"]],
  btrfs: [["btrfs", "rescue=nologreplay"]],
};

/**
 * @param allowed Types that may be mounted; undefined: all that are known.
 * @throws KexecError `policy-refused`, `not-permitted`, `io-error`
 */
export function openSystem(
  place: DiskPlace,
  system: OneSystem,
  allowed: readonly string[] | undefined,
  held: DisposableStack,
): Folder {
  return held.use(mountedAlready(place, system) ?? mountAnew(place, system, allowed, false));
}

/**
 * The same file system, writable, once `root` was closed: a mount without its journal's replay must not be
 * made writable as it is.
 * @throws KexecError as `openSystem`
 */
export function openWritable(
  place: DiskPlace,
  system: OneSystem,
  allowed: readonly string[] | undefined,
  held: DisposableStack,
): Folder {
  return held.use(mountAnew(place, system, allowed, true));
}

function mountedAlready({ disk }: DiskPlace, system: OneSystem): Folder | undefined {
  const mounts = readMounts();
  if (typeof mounts === "number") return undefined;
  for (const mount of mounts) {
    // Paths count from the root of the file system.
    if (mount.root !== "/" || !isOf(mount, system)) continue;
    const folder = uncovered(mount, `${disk}:/`);
    if (folder !== undefined) return folder;
  }
  return undefined;
}

function isOf(mount: Mount, system: OneSystem): boolean {
  return system.some(
    ({ device, held }) =>
      mount.device === device.number || (held.type === "btrfs" && mount.source === device.path),
  );
}

/** What its path leads to, where no other mount covers it. */
function uncovered(mount: Mount, shown: string): Folder | undefined {
  using guard = new DisposableStack();
  const folder = Folder.openAs(mount.mountPoint, shown);
  guard.use(folder);
  if (folder === undefined || mountIdOf(folder.fd) !== mount.id) return undefined;
  guard.move();
  return folder;
}

function mountAnew(
  { disk }: DiskPlace,
  system: OneSystem,
  allowed: readonly string[] | undefined,
  writable: boolean,
): Folder {
  const [{ held: found, device }, ...others] = system;
  requireAllowed(disk, found.type, allowed);
  moduleLoader()?.fileSystem(found.type);
  let failure: MountFailure | undefined;
  for (const [type, ...options] of ways[found.type] ?? [[found.type]]) {
    const members = others.filter(({ held: { member } }) => member !== undefined);
    const mount = mountDetached({
      source: device.path,
      type,
      options: [...members.map(deviceOption), ...(writable ? [] : options)],
      writable,
    });
    if (mount.ok) return Folder.ofMount(mount, `${disk}:/`);
    failure ??= mount;
  }
  throw mountError(disk, system[0], failure);
}

function deviceOption({ device }: Holding): string {
  return `device=${device.path}`;
}

function requireAllowed(disk: string, type: string, allowed: readonly string[] | undefined): void {
  if (allowed === undefined || allowed.includes(type)) return;
  throw cannot(`mount ${disk}`, {
    code: "policy-refused",
    details: { path: disk, found: type },
    why: `it holds ${type}, and the policy allows ${allowed.length === 0 ? "no file system" : `only ${allowed.join(", ")}`}`,
    hint: "add the type to fileSystems in the policy, or use another file system",
  });
}

function mountError(
  disk: string,
  { device, held }: Holding,
  failure: MountFailure | undefined,
): KexecError {
  const errno = failure?.errno ?? ENODEV;
  const log = failure?.log.at(-1)?.replace(/^[ew] /, "");
  const why = log === undefined || log === "" ? errnoText(errno).toLowerCase() : log;
  const denied = errno === EPERM || errno === EACCES;
  return cannot(
    `mount ${disk}: ${device.path} (${held.type})`,
    {
      code: denied ? "not-permitted" : "io-error",
      why: failure?.option === undefined ? why : `${failure.option}: ${why}`,
      ...hintOf(errno, held.type),
    },
    { errno: errnoName(errno), details: { path: device.path } },
  );
}

function hintOf(errno: number, type: string): { readonly hint?: string } {
  switch (errno) {
    case EPERM:
    case EACCES:
      return { hint: "run it as root, and outside of containers" };
    case ENODEV:
      return { hint: `the running kernel has no ${type}: load its module (modprobe ${type})` };
    case ENOSYS:
      return { hint: "the running kernel is older than Linux 5.2: mount it, and give the path" };
    case EBUSY:
      return { hint: "it is in use, or mounted where it cannot be seen from here" };
    default:
      return { hint: "it may be damaged: look at the kernel log (dmesg), and check it (fsck)" };
  }
}
