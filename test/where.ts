/** Where the tests run, for cases that depend on it: each asserts what holds here and what holds there. */
import { readFileSync, readlinkSync, realpathSync } from "node:fs";
import { join, relative } from "node:path";

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

/**
 * A path as its file system has it, whose root may be mounted by a part alone, as a container's is:
 * proc_pid_mountinfo(5), fields 4 and 5.
 */
export function onItsFileSystem(path: string): string {
  const real = realpathSync(path);
  const mounts = readFileSync("/proc/self/mountinfo", "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split(" ").map((field) => field.replace(/\\040/g, " ")))
    .filter(([, , , , point = ""]) => `${real}/`.startsWith(point === "/" ? "/" : `${point}/`));
  // The last one of the longest covers all others
  const depth = ([, , , , point = ""]: readonly string[]) => (point === "/" ? 0 : point.length);
  const most = Math.max(...mounts.map(depth));
  const [, , , root = "/", point = "/"] = mounts.findLast((one) => depth(one) === most) ?? [];
  return join(root, relative(point, real));
}
