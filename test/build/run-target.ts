/** Runs a binary of any target on this machine, where that can be done. */

import { copyFileSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Target } from "../../build/targets.ts";
import { temporaryFolder } from "../vm/lib/host.ts";
import { muslLibraries } from "../vm/lib/musl.ts";
import { muslPackages, unpackedPackage } from "../vm/lib/packages.ts";

/** What goes before a binary's path. */
export type Launcher = readonly string[];

/** QEMU's emulation of one process. */
const emulator = Bun.which("qemu-aarch64-static") ?? Bun.which("qemu-aarch64");

/** By what a binary of this target runs here; `undefined` where this machine lacks something. */
export function launcherOf(name: Target["name"]): Launcher | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return name === `${process.platform}-${process.arch}` ? [] : undefined;
  }
  switch (name) {
    case "linux-x64":
      return [];
    case "linux-arm64": {
      const libraries = unpackedPackage("libc6:arm64");
      return emulator === null || libraries === undefined ? undefined : [emulator, "-L", libraries];
    }
    case "linux-x64-musl": {
      const root = muslRoot("x86_64");
      if (root === undefined) return undefined;
      return [`${root}/lib/ld-musl-x86_64.so.1`, "--library-path", `${root}/lib`];
    }
    case "linux-arm64-musl": {
      const root = muslRoot("aarch64");
      return emulator === null || root === undefined ? undefined : [emulator, "-L", root];
    }
  }
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
