/** A copy of the repository as one gets it, for tests that build or run it elsewhere. */
import { cp, mkdir, readdir } from "node:fs/promises";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");

/** What is installed, built or kept there, and is no part of it: .gitignore. */
const leftOut = new Set([".git", ".cache", "dist", "node_modules"]);

/** Copies it into a folder, which is made. */
export async function copySources(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(root)) {
    // What Bun writes while it compiles is there for a moment only.
    if (leftOut.has(name) || name.endsWith(".bun-build")) continue;
    await cp(join(root, name), join(folder, name), { recursive: true });
  }
}
