/** Hosts for menu readers: files in memory, and a folder of real ones. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { DeviceFacts, MenuHost, MenuPlace } from "../../../src/menu/host.ts";

/** Paths with their text; every device with what is known of it. */
export type Trees = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface CountingHost extends MenuHost {
  calls: number;
}

/** Devices in the order of `trees`; a folder is what has a file below it. */
export function treesHost(
  trees: Trees,
  facts: Readonly<Record<string, DeviceFacts>> = {},
): CountingHost {
  const host: CountingHost = {
    calls: 0,
    devices: Object.keys(trees),
    status({ device, path }) {
      host.calls += 1;
      const tree = trees[device] ?? {};
      const text = tree[path];
      if (text !== undefined) return { kind: "file", size: text.length };
      const folder = path === "/" ? "/" : `${path}/`;
      const isFolder = Object.keys(tree).some((name) => name.startsWith(folder));
      return isFolder ? { kind: "directory", size: 0 } : undefined;
    },
    read({ device, path }, limit) {
      host.calls += 1;
      const text = trees[device]?.[path];
      return text === undefined ? undefined : new TextEncoder().encode(text).subarray(0, limit);
    },
    names({ device, path }) {
      host.calls += 1;
      const folder = path === "/" ? "/" : `${path}/`;
      const names = Object.keys(trees[device] ?? {})
        .filter((name) => name.startsWith(folder))
        .map((name) => name.slice(folder.length).split("/", 1)[0] ?? "");
      return names.length === 0 ? undefined : [...new Set(names)];
    },
    facts(device) {
      host.calls += 1;
      return facts[device] ?? {};
    },
  };
  return host;
}

/** A folder as the one device `disk`. */
export function folderHost(folder: string, facts: DeviceFacts = {}): MenuHost {
  const pathOf = ({ path }: MenuPlace) => join(folder, path);
  return {
    devices: ["disk"],
    status(place) {
      if (place.device !== "disk" || !existsSync(pathOf(place))) return undefined;
      const status = statSync(pathOf(place));
      return { kind: status.isDirectory() ? "directory" : "file", size: status.size };
    },
    read(place, limit) {
      if (place.device !== "disk" || !existsSync(pathOf(place))) return undefined;
      return new Uint8Array(readFileSync(pathOf(place))).subarray(0, limit);
    },
    names(place) {
      if (place.device !== "disk" || !existsSync(pathOf(place))) return undefined;
      return readdirSync(pathOf(place));
    },
    facts: (device) => (device === "disk" ? facts : {}),
  };
}
