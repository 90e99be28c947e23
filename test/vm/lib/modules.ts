/** Kernel modules for guests, in the order in which they must be loaded. */
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { CpioEntry } from "../../../src/initramfs/cpio.ts";
import { moduleNeeds } from "./elf.ts";
import type { Kernel } from "./kernels.ts";

/**
 * The modules' files and those of the modules that they need, needed ones
 * first, unpacked. A name that the kernel has built in gives nothing.
 * @throws Error when the kernel has no such module.
 */
export function moduleFiles(kernel: Kernel, names: readonly string[]): CpioEntry[] {
  const { modules, name: kernelName } = kernel;
  if (modules === undefined) throw new Error(`the kernel ${kernelName} has no modules`);
  const files = readdirSync(join(modules, "kernel"), { recursive: true, encoding: "utf8" });
  const sources = new Map(
    files
      .filter((file) => /\.ko(\.xz)?$/.test(file))
      .map((file) => [moduleName(file), join(modules, "kernel", file)] as const),
  );
  const builtIn = new Set(
    readFileSync(join(modules, "modules.builtin"), "utf8").split("\n").map(moduleName),
  );
  const ordered = new Map<string, CpioEntry>();
  const add = (name: string) => {
    const key = moduleName(name);
    if (ordered.has(key) || builtIn.has(key)) return;
    const source = sources.get(key);
    if (source === undefined) throw new Error(`the kernel ${kernelName} has no module ${name}`);
    const data = unpacked(source);
    for (const needed of moduleNeeds(data)) add(needed);
    ordered.set(key, { type: "file", path: `/lib/modules/${key}.ko`, data });
  };
  for (const name of names) add(name);
  return [...ordered.values()];
}

/** Debian's 6.1 has plain modules, its 6.12 compressed ones, which busybox's insmod cannot load. */
function unpacked(source: string): Uint8Array {
  if (!source.endsWith(".xz")) return readFileSync(source);
  const { stdout, exitCode } = Bun.spawnSync(["xz", "--decompress", "--stdout", source]);
  if (exitCode !== 0) throw new Error(`xz could not unpack ${source}`);
  return stdout;
}

/** "-" and "_" are the same in a module's name: scripts/mod/modpost.c. */
function moduleName(file: string): string {
  return basename(file)
    .replace(/\.ko(\.xz)?$/, "")
    .replaceAll("-", "_");
}
