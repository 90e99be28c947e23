/** Symbolic links: in /sys they say how things hang together. */
import { AT_FDCWD, callThroughSignals, cString } from "./descriptor.ts";
import { statusOfPath } from "./path.ts";

/** The target of a symbolic link, or -errno. */
export function readLink(path: string): string | number {
  const buffer = new Uint8Array(4096); // PATH_MAX, include/uapi/linux/limits.h
  const length = callThroughSignals(
    "readlinkat",
    AT_FDCWD,
    cString(path),
    buffer,
    buffer.byteLength,
  );
  return length < 0 ? length : new TextDecoder().decode(buffer.subarray(0, length));
}

/** The last name of a link's target, or undefined where there is no link. */
export function linkedName(path: string): string | undefined {
  const target = readLink(path);
  return typeof target === "string" ? target.slice(target.lastIndexOf("/") + 1) : undefined;
}

/** Whether `path`, or the folder that it is in, is a link whose target does not exist. */
export function leadsNowhere(path: string): boolean {
  const folder = path.slice(0, path.lastIndexOf("/"));
  return [path, folder].some(
    (link) => typeof readLink(link) === "string" && typeof statusOfPath(link) === "number",
  );
}
