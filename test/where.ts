/** Where the tests run, for cases that depend on it: each asserts what holds here and what holds there. */
import { readlinkSync } from "node:fs";

/** PROC_PID_INIT_INO of include/linux/proc_ns.h: the same on every machine. */
const initialPidNamespace = "pid:[4026531836]";

/** False in a container, as CI services give them. */
export function inInitialPidNamespace(): boolean {
  return readlinkSync("/proc/self/ns/pid") === initialPidNamespace;
}

/** What starts a command in a pid namespace of its own; undefined where this user may not have one. */
export function ownPidNamespace(): readonly string[] | undefined {
  const command = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
  if (Bun.which("unshare") === null) return undefined;
  return Bun.spawnSync([...command, "true"]).success ? command : undefined;
}
