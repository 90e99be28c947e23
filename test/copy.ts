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
    if (!leftOut.has(name)) await cp(join(root, name), join(folder, name), { recursive: true });
  }
}
