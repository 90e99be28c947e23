/** SOURCE on a disk that is not mounted, or is: found without udev, waited for, and read by its descriptor only. */

import { cannot, KexecError } from "../../errors.ts";
import { moduleLoader } from "../../linux/device/modules.ts";
import { Uevents } from "../../linux/device/uevents.ts";
import { type Folder, InputFile, isFolderBelow } from "../../linux/file.ts";
import { deviceNumberOf } from "../../linux/path.ts";
import type { Listener } from "../../listener.ts";
import { besideIn } from "../beside.ts";
import { FolderTree } from "../folder-tree.ts";
import type { FoundFile, FoundTree } from "../kind.ts";
import { beginningOf } from "../open-file.ts";
import { chooseSystem, type OneSystem, seen } from "./choose.ts";
import { openSystem, openWritable } from "./mount.ts";
import { type DiskPlace, parseDiskPlace } from "./name.ts";
import { type Probed, probeAll } from "./probe.ts";

export interface DiskOptions {
  /** How long to wait for the disk. */
  readonly seconds: number;
  /** Types of file systems that may be mounted; undefined: all. */
  readonly fileSystems: readonly string[] | undefined;
  readonly listener: Listener;
}

/**
 * Opens what a place on a disk names; it is closed with `held`.
 * @throws KexecError `usage`, `file-not-found`, `malformed-input`, `policy-refused`, `not-permitted`,
 *   `io-error`, and those of InputFile.openBelow
 */
export async function findOnDisk(
  source: string,
  held: DisposableStack,
  options: DiskOptions,
): Promise<FoundFile | FoundTree> {
  const place = parseDiskPlace(source);
  const system = await awaitSystem(place, options);
  const root = openSystem(place, system, options.fileSystems, held);
  const { path } = place;
  if (!isFolderBelow(root, path)) return fileAt(root, path, held);
  const uuid = system[0].held.uuid;
  const lasting = uuid === undefined ? undefined : `UUID=${uuid}:/${path}`;
  if (!root.detached) return treeAt(root, path, held);
  const found = treeAt(root, path, held, { lasting });
  const reopen = () => {
    found.tree[Symbol.dispose]();
    root[Symbol.dispose]();
    try {
      const other = openWritable(place, system, options.fileSystems, held);
      return treeAt(other, path, held, { lasting, writable: true });
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      options.listener.warn?.(`${place.disk} cannot be written to: ${error.message}`);
      return treeAt(openSystem(place, system, options.fileSystems, held), path, held, { lasting });
    }
  };
  return { ...found, reopen };
}

/** Devices are looked at anew whenever the kernel says that one has come. */
async function awaitSystem(
  place: DiskPlace,
  { seconds, listener }: DiskOptions,
): Promise<OneSystem> {
  const end = performance.now() + seconds * 1000;
  // Before the first look: what comes after that is heard of.
  using events = Uevents.listen();
  for (let said = false; ; ) {
    moduleLoader()?.devices();
    const probed = probeAll();
    const system = chooseSystem(place, probed, numberOf(place));
    if (system !== undefined) return system;
    const left = end - performance.now();
    if (left <= 0) throw notFound(place, seconds, probed);
    if (!said) listener.note?.(`waiting for ${place.disk}, ${Math.ceil(left / 1000)} s at most`);
    said = true;
    await untilOneComes(events, left);
  }
}

/** In pieces of a second, between which signals are heard; without an event nothing is looked at. */
async function untilOneComes(events: Uevents, milliseconds: number): Promise<void> {
  const end = performance.now() + milliseconds;
  for (;;) {
    const left = end - performance.now();
    if (left <= 0 || events.waitForDevice(Math.min(left, 1000))) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function numberOf({ by }: DiskPlace): string | undefined {
  if (!("device" in by)) return undefined;
  return deviceNumberOf(by.device);
}

function notFound({ disk, by }: DiskPlace, seconds: number, probed: readonly Probed[]) {
  const number = "device" in by ? deviceNumberOf(by.device) : undefined;
  const one = probed.find(({ device }) => device.number === number);
  const why =
    typeof one?.held === "string"
      ? `it holds no file system that can be mounted: ${one.held}`
      : `there is no such disk${seconds > 0 ? `, and none came within ${seconds} s` : ""}`;
  return cannot(`find ${disk}`, {
    code: "file-not-found",
    details: { path: disk },
    why,
    hint: seen(probed),
  });
}

function treeAt(
  root: Folder,
  path: string,
  held: DisposableStack,
  { lasting, writable = false }: { lasting?: string | undefined; writable?: boolean } = {},
) {
  const folder = held.use(root.below(path));
  const changeable = writable ? `/proc/self/fd/${folder.fd}` : undefined;
  return {
    tree: new FolderTree(folder, changeable, lasting),
    treeAbove: (levels: number) => openTree(root, above(path, levels)),
  };
}

function fileAt(root: Folder, path: string, held: DisposableStack): FoundFile {
  const file = held.use(InputFile.openInside(root, path, ""));
  let folder: Folder | undefined;
  return {
    file,
    beginning: beginningOf(file),
    openBelow: (name, what) => {
      folder ??= held.use(root.below(above(path, 1)));
      return InputFile.openBelow(folder, name, what);
    },
    openBeside: besideIn(new FolderTree(root), path),
    treeAbove: (levels) => openTree(root, above(path, levels + 1)),
  };
}

function openTree(root: Folder, path: string): FolderTree {
  return new FolderTree(root.below(path));
}

/** The root is above itself. */
function above(path: string, levels: number): string {
  return path
    .split("/")
    .slice(0, -levels || undefined)
    .join("/");
}
