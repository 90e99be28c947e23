/** Boot counting, UAPI.1: what was started works, and is not counted any more. */
import { errnoName, errnoText } from "../errno.ts";
import { cannot, KexecError } from "../errors.ts";
import { renameIn } from "../linux/device/change.ts";
import { namesIn } from "../linux/directory.ts";
import { Folder } from "../linux/file.ts";
import { blockFileSystems, readMounts } from "../linux/mounts.ts";
import { readRunningCmdline } from "../machine/kernel.ts";
import { blessingOf, fromPlaceIn, readCounter } from "../menu/counting.ts";
import { factsOf } from "../source/menus/mounted.ts";
import type { BlessReport } from "./report.ts";

const mostNames = 65_536;

/**
 * Takes the boot counter off what this system was started from, or off what is named.
 * @throws KexecError `file-not-found`, `malformed-input`, `io-error`
 */
export async function bless(path?: string): Promise<BlessReport> {
  const place = path ?? startedFrom();
  if (place === undefined) return { path: null, was: null };
  const whole = pathOf(place);
  const slash = whole.lastIndexOf("/");
  const folder = slash < 0 ? "." : whole.slice(0, slash) || "/";
  const name = whole.slice(slash + 1);
  // Folders are generations: what is behind the last dot is part of their names.
  const suffix = /\.(conf|efi)$/i.test(name);
  const { id } = readCounter(name, suffix);
  const shown = `${folder.replace(/\/$/, "")}/${id}`;
  using opened = Folder.open(folder);
  const blessing = blessingOf(namesIn(opened, ".", mostNames) ?? [], id, suffix);
  switch (blessing.kind) {
    case "missing":
      throw cannot(`bless ${shown}`, {
        code: "file-not-found",
        why: "there is none of that name, with a counter or without",
      });
    case "several":
      throw cannot(`bless ${shown}`, {
        code: "malformed-input",
        why: `${blessing.names.join(" and ")} would have one name`,
        hint: "remove what is not wanted",
      });
    case "uncounted":
      return { path: shown, was: null };
    case "counted": {
      const result = renameIn(folder, blessing.name, id);
      if (result === 0) return { path: shown, was: blessing.name };
      throw new KexecError("io-error", {
        message: `cannot rename ${folder}/${blessing.name} to ${id}: ${errnoText(-result).toLowerCase()}`,
        errno: errnoName(-result),
        hint: "run it as root, with that file system mounted writable",
      });
    }
  }
}

function startedFrom(): string | undefined {
  const running = readRunningCmdline();
  if (running.known) return fromPlaceIn(running.value.split(/\s+/));
  throw cannot("tell what this system was started from", {
    code: "io-error",
    why: running.why,
    hint: "mount /proc, or give the path",
  });
}

/** `UUID=…:/path` is below the mount point of that file system. */
function pathOf(place: string): string {
  const [, uuid, path = ""] = /^UUID=([0-9A-Za-z-]+):(\/.*)$/.exec(place) ?? [];
  const isClean = !place.split("/").includes("..");
  if (uuid === undefined && place !== "" && isClean) return place.replace(/(.)\/+$/, "$1");
  const mounts = readMounts();
  const found = (typeof mounts === "number" ? [] : blockFileSystems(mounts)).find(
    ({ mount }) => factsOf(mount).uuid?.toLowerCase() === uuid?.toLowerCase(),
  );
  if (uuid !== undefined && isClean && found !== undefined) {
    return `${found.mount.mountPoint.replace(/\/$/, "")}${path}`;
  }
  throw cannot(`bless ${place}`, {
    code: "file-not-found",
    why: isClean ? "that file system is not mounted" : "it leads elsewhere",
    hint: "mount it, or give the path",
  });
}
