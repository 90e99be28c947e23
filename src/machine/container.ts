/** Whether this process runs in a container, and of which kind. */

import { ENOENT } from "../errno.ts";
import { readText } from "../linux/descriptor.ts";
import { statusOfPath } from "../linux/path.ts";
import type { Privilege } from "./kernel.ts";
import { known, type Reading, unknown, valueIn } from "./reading.ts";

/** `none`, or the container manager's name as far as it is known. */
export function readContainer(privilege: Privilege): Reading<string> {
  // The container interface of systemd (systemd.io/CONTAINER_INTERFACE).
  const named = readText("/run/systemd/container", 256);
  if (named.ok) return known(nameOf(named.text));
  if (statusOfPath("/run/.containerenv") !== -ENOENT) return known("podman");
  if (statusOfPath("/.dockerenv") !== -ENOENT) return known("docker");
  const init = readText("/proc/1/environ", 1 << 16);
  const variable = init.ok ? /(?:^|\0)container=([^\0]+)/.exec(init.text)?.[1] : undefined;
  if (variable !== undefined) return known(nameOf(variable));
  const initial = [privilege.initialPidNamespace, privilege.initialUserNamespace].map(valueIn);
  if (initial.includes(false)) return known("unnamed");
  return initial.includes(undefined) ? unknown("/proc is not mounted") : known("none");
}

function nameOf(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/g, "").slice(0, 32) || "unnamed";
}
