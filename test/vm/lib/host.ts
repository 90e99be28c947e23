/** What the bench keeps on the host: its cache, one run's temporary folder, and clean-up. */
import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** The repository's root. */
export const repository = resolve(import.meta.dir, "../../..");

/** Whether this run is about the binaries that are linked to musl: `bun run test:musl`. */
export const isAboutMusl = process.env["AEGIS_TARGET"] === "linux-x64-musl";

/** Downloads, kept between runs; not under version control. */
export const cacheFolder = join(repository, ".cache");

/** Console logs of guests that a failed test used. */
export const logFolder = join(cacheFolder, "vm-logs");

export type Arch = "x86_64" | "aarch64";

/** The guard is held: its input is closed when nobody holds it any more. */
const state: { folder?: string; guard?: Bun.Subprocess; files: number } = { files: 0 };

/** A new path in this run's temporary folder, which is removed when the process ends. */
export function temporaryPath(name: string): string {
  state.folder ??= guardedFolder();
  state.files += 1;
  return join(state.folder, `${state.files}-${name}`);
}

/** A new temporary folder. */
export function temporaryFolder(name: string): string {
  const folder = temporaryPath(name);
  mkdirSync(folder);
  return folder;
}

/**
 * A folder and the process that removes it: that one sees its input end when
 * this process does, in whatever way. (`bun test` runs no exit handlers.)
 */
function guardedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "aegis-kexec-vm-"));
  const script = "trap '' HUP INT TERM; cat; rm -rf \"$1\"";
  const guard = Bun.spawn(["sh", "-c", script, "guard", folder], {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "ignore",
  });
  guard.unref();
  state.guard = guard;
  return folder;
}

/**
 * Shell: a command in a mount namespace of its own. Where the root is not a mount, as in a plain
 * chroot, no propagation can be changed; unmount there what was mounted.
 */
export const unshareMounts =
  "unshare --mount $(unshare --mount true 2>/dev/null || echo --propagation unchanged)";

/** Its mounts go with it, however it ends: mmdebstrap has this machine's /sys and /dev/shm in what it makes. */
export function withOwnMounts(command: readonly string[]): string[] {
  return ["sh", "-euc", `exec ${unshareMounts} "$@"`, "sh", ...command];
}

/** What was cut off may have mounts of this machine in it, of programs before this rule. */
export const removal = ["rm", "-rf", "--one-file-system"] as const;

/** Of mmdebstrap: dpkg waits for no disk, for systems that are thrown away where their making is cut off. */
export const dpkgInHaste = "--dpkgopt=force-unsafe-io";

/** sudo(8) drops these, and the network may be reached by nothing else. */
const networkVariables = /^(https?_proxy|no_proxy|ftp_proxy)$/i;

const known: { rights?: readonly string[] | undefined } = {};

/** The command as root runs it; undefined where this user cannot become that without being asked. */
export function asRoot(command: readonly string[]): string[] | undefined {
  if (!("rights" in known)) known.rights = rootRights();
  return known.rights === undefined ? undefined : [...known.rights, ...command];
}

function rootRights(): readonly string[] | undefined {
  if (process.getuid?.() === 0) return [];
  if (Bun.which("sudo") === null || !Bun.spawnSync(["sudo", "-n", "true"]).success)
    return undefined;
  const network = Object.entries(process.env).filter(([name]) => networkVariables.test(name));
  return ["sudo", "-n", "env", ...network.map(([name, value]) => `${name}=${value}`)];
}
