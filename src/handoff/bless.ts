/** Boot counting, UAPI.1: what was started works, and is not counted any more. */
import { errnoName, errnoText } from "../errno.ts";
import { cannot } from "../errors.ts";
import { renameIn } from "../linux/device/change.ts";
import { namesIn, pathOf } from "../linux/directory.ts";
import { Folder } from "../linux/file.ts";
import { blockFileSystems, readMounts } from "../linux/mounts.ts";
import { isDirectory } from "../linux/path.ts";
import { readRunningCmdline } from "../machine/kernel.ts";
import { blessingOf, fromPlaceIn, readCounter } from "../menu/counting.ts";
import { factsOf } from "../source/menus/mounted.ts";
import { gateFor } from "./gate/choose-gate.ts";
import type { TrustOptions } from "./gate/gate.ts";
import type { BlessReport } from "./report.ts";

const mostNames = 65_536;

/**
 * Takes the boot counter off what this system was started from, or off what is named.
 * @throws KexecError `file-not-found`, `malformed-input`, `io-error`
 */
export async function bless(path?: string): Promise<BlessReport> {
  const place = path ?? startedFrom();
  if (place === undefined) return { path: null, was: null };
  using held = new DisposableStack();
  const { path: whole, shown: asked } = await locate(place, held);
  const slash = whole.lastIndexOf("/");
  const folder = slash < 0 ? "." : whole.slice(0, slash) || "/";
  const name = whole.slice(slash + 1);
  // Folders are generations: what is behind the last dot is part of their names.
  const suffix = /\.(conf|efi)$/i.test(name);
  const { id } = readCounter(name, suffix);
  const shown = asked === undefined ? `${folder.replace(/\/$/, "")}/${id}` : `${asked}/${id}`;
  using opened = Folder.open(folder);
  const blessing = blessingOf(namesIn(opened, ".", mostNames) ?? [], id, suffix);
  switch (blessing.kind) {
    case "missing":
      throw cannot(`bless ${shown}`, {
        code: "file-not-found",
        details: { path: shown },
        why: "there is none of that name, with a counter or without",
      });
    case "several":
      throw cannot(`bless ${shown}`, {
        code: "malformed-input",
        details: { path: shown },
        why: `${blessing.names.join(" and ")} would have one name`,
        hint: "remove what is not wanted; on FAT a rename may have been cut off, and both lead to the same files: check the file system instead (fsck.vfat, fsck.exfat)",
      });
    case "uncounted":
      return { path: shown, was: null };
    case "counted": {
      const result = renameIn(folder, blessing.name, id);
      if (result === 0) return { path: shown, was: blessing.name };
      const hint = "run it as root, with that file system mounted writable";
      throw cannot(
        `rename ${shown.slice(0, -id.length)}${blessing.name} to ${id}`,
        {
          code: "io-error",
          details: { path: shown },
          why: errnoText(-result).toLowerCase(),
          hint,
        },
        { errno: errnoName(-result) },
      );
    }
  }
}

function startedFrom(): string | undefined {
  const running = readRunningCmdline();
  if (running.known) return fromPlaceIn(running.value.split(/\s+/));
  throw cannot("tell what this system was started from", {
    code: "io-error",
    details: { path: "/proc/cmdline" },
    why: running.why,
    hint: "mount /proc, or give the path",
  });
}

interface Located {
  /** By which it can be changed. */
  readonly path: string;
  /** What messages call its folder, where that is another. */
  readonly shown?: string;
}

/** `UUID=…:/path` is below the mount point of that file system; where it has none, it is mounted for this alone. */
async function locate(place: string, held: DisposableStack): Promise<Located> {
  const [, uuid, path = ""] = /^UUID=([0-9A-Za-z-]+):(\/.*)$/.exec(place) ?? [];
  if (uuid === undefined) return { path: namedPath(place.replace(/(.)\/+$/, "$1")) };
  if (path.split("/").includes("..")) {
    throw cannot(`bless ${place}`, {
      code: "file-not-found",
      details: { path: place },
      why: "its path has .., and it may lead elsewhere",
      hint: "give the path without ..",
    });
  }
  const mounted = mountedPath(uuid, path);
  return mounted === undefined ? mountFor(uuid, path, held) : { path: mounted };
}

/** A path whose last part is a name: `.` and `..` are taken for the folder that they lead to. */
function namedPath(path: string): string {
  if (!/(^|\/)\.\.?$/.test(path)) return path;
  using folder = Folder.open(path);
  const whole = pathOf(folder.fd);
  if (whole !== undefined) return whole;
  throw cannot(`bless ${path}`, {
    code: "file-not-found",
    details: { path },
    why: "its name is not known, since /proc is not mounted",
    hint: "give the path with its name at the end",
  });
}

function mountedPath(uuid: string, path: string): string | undefined {
  const mounts = readMounts();
  const same = (typeof mounts === "number" ? [] : blockFileSystems(mounts)).filter(
    ({ mount }) => factsOf(mount).uuid?.toLowerCase() === uuid.toLowerCase(),
  );
  const paths = same.flatMap(({ mount: { mountPoint, root } }) => {
    const point = mountPoint.replace(/\/$/, "");
    // A part of it is mounted: whoever wrote the place may have seen the whole.
    const inside = root !== "/" && path.startsWith(`${root}/`) ? [path.slice(root.length)] : [];
    return [path, ...inside].map((rest) => `${point}${rest}`);
  });
  const folderOf = (whole: string) => whole.slice(0, whole.lastIndexOf("/")) || "/";
  return paths.find((whole) => isDirectory(folderOf(whole))) ?? paths[0];
}

/** Seconds that a disk is waited for. */
const wait = 10;

async function mountFor(uuid: string, path: string, held: DisposableStack): Promise<Located> {
  const slash = path.lastIndexOf("/");
  const folder = `UUID=${uuid}:${path.slice(0, slash) || "/"}`;
  const { fileSystems } = await gateFor(nothingGiven);
  const { findOnDisk } = await import("../source/disk/disk.ts");
  const found = await findOnDisk(folder, held, { seconds: wait, fileSystems, listener: {} });
  const tree = "tree" in found ? (found.reopen?.() ?? found).tree : undefined;
  const { changeable } = tree ?? {};
  if (changeable !== undefined) {
    return { path: `${changeable}${path.slice(slash)}`, shown: folder.replace(/\/$/, "") };
  }
  throw cannot(`bless UUID=${uuid}:${path}`, {
    code: "io-error",
    details: { path: `UUID=${uuid}:${path}` },
    why: "its disk cannot be written to",
    hint: "mount it writable, and give the path",
  });
}

const nothingGiven: TrustOptions = {
  ...{ trust: [], signature: [], threshold: undefined, minGeneration: undefined },
  ...{ policy: undefined, cmdline: undefined, reuseCmdline: false, append: undefined },
  ...{ initrd: [], profile: undefined },
};
