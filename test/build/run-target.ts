/** Runs a binary of any target on this machine, where that can be done. */

import { copyFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Target } from "../../build/targets.ts";
import { temporaryFolder } from "../vm/lib/host.ts";
import { muslLibraries } from "../vm/lib/musl.ts";
import { muslPackages, type PackageName, unpackedPackage } from "../vm/lib/packages.ts";

/** What goes before a binary's path. */
export type Launcher = readonly string[];

/** QEMU's emulation of one process. */
const emulator = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");

/** By what a binary of this target runs here; `undefined` where this machine lacks something. */
export function launcherOf(name: Target["name"]): Launcher | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return name === `${process.platform}-${process.arch}` ? [] : undefined;
  }
  if (name === "linux-x64") return [];
  const root = librariesOf(name);
  if (root === undefined) return undefined;
  if (name === "linux-x64-musl") {
    return [`${root}/lib/ld-musl-x86_64.so.1`, "--library-path", `${root}/lib`];
  }
  return emulator === null ? undefined : [emulator, "-L", root];
}

/** What this machine has no loader for of its own. */
export type ForeignTarget = Exclude<Target["name"], "linux-x64">;

/** The packages that have loader and C library of a target. */
export const libraryPackages = {
  "linux-arm64": ["libc6:arm64"],
  "linux-x64-musl": muslPackages.x86_64,
  "linux-arm64-musl": muslPackages.aarch64,
} as const satisfies Record<ForeignTarget, readonly PackageName[]>;

/** A folder whose `lib` has them; `undefined` where a package is missing. */
export function librariesOf(name: ForeignTarget): string | undefined {
  if (name === "linux-arm64") return unpackedPackage("libc6:arm64");
  return muslRoot(name === "linux-x64-musl" ? "x86_64" : "aarch64");
}

/** The same, telling its system calls on standard error. */
export function tracerOf(name: Target["name"]): Launcher | undefined {
  const launcher = launcherOf(name);
  if (launcher === undefined) return undefined;
  const [program, ...rest] = launcher;
  if (program !== undefined && program === emulator) return [program, "-strace", ...rest];
  const strace = Bun.which("strace");
  return strace === null ? undefined : [strace, "-f", "-qq", ...launcher];
}

const roots = new Map<string, string>();

/** A folder with musl's libraries below it. */
function muslRoot(arch: "x86_64" | "aarch64"): string | undefined {
  if (muslPackages[arch].some((name) => unpackedPackage(name) === undefined)) return undefined;
  const known = roots.get(arch);
  if (known !== undefined) return known;
  const root = temporaryFolder(`musl-${arch}`);
  for (const { path, source } of muslLibraries(arch)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    copyFileSync(source, join(root, path));
  }
  roots.set(arch, root);
  return root;
}

export interface Outcome {
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a command with nothing in its environment but `env`. */
export async function run(
  command: readonly string[],
  options: { env?: Record<string, string>; cwd?: string } = {},
): Promise<Outcome> {
  const child = Bun.spawn([...command], {
    cwd: options.cwd ?? tmpdir(),
    env: options.env ?? {},
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  return { exit, stdout, stderr };
}
