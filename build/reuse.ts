/**
 * Spares tests and the demo a build whose result would be the same bytes.
 */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { buildTarget } from "../build.ts";
import { type Target, targets } from "./targets.ts";

const root = join(import.meta.dir, "..");

/** Everything that a binary is made of; the lockfile stands for the packages, targets.ts for Bun. */
const inputs = [
  "src/**/*",
  "build/*.ts",
  "build.ts",
  "package.json",
  "tsconfig.json",
  "bun.lock",
].map((pattern) => new Bun.Glob(pattern));

/**
 * Path of the up-to-date binary of `name` in dist/, built only where the
 * sources or the binary have changed since it was last built here.
 */
export async function ensureBuilt(name: Target["name"]): Promise<string> {
  const sources = await digestOfSources();
  const outfile = join(root, "dist", `aegis-kexec-${name}`);
  const record = Bun.file(join(root, ".cache", "built", name));
  if (
    (await record.exists()) &&
    (await record.text()) === `${sources} ${await digestOfFile(outfile)}`
  ) {
    return outfile;
  }
  await buildTarget(name, { outfile });
  await mkdir(join(root, ".cache", "built"), { recursive: true });
  await Bun.write(record, `${sources} ${await digestOfFile(outfile)}`);
  return outfile;
}

async function digestOfSources(): Promise<string> {
  const hash = new Bun.CryptoHasher("sha256");
  const found = inputs.map((glob) => [...glob.scanSync({ cwd: root })]);
  // A pattern that matches nothing would take every change for none.
  if (found.some((paths) => paths.length === 0))
    throw new Error("a source pattern matches nothing");
  for (const path of found.flat().sort()) {
    const bytes = await Bun.file(join(root, path)).bytes();
    hash.update(`${path}\0${bytes.length}\0`).update(bytes);
  }
  return hash.digest("hex");
}

/** Hex SHA-256 of a file, empty when there is none. */
async function digestOfFile(path: string): Promise<string> {
  const file = Bun.file(path);
  if (!(await file.exists())) return "";
  return new Bun.CryptoHasher("sha256").update(await file.bytes()).digest("hex");
}

// bun build/reuse.ts TARGET…: builds them where that is needed, and prints their paths, a line each
if (import.meta.main) {
  for (const name of process.argv.slice(2)) {
    const target = targets.find((one) => one.name === name);
    if (target === undefined) throw new Error(`there is no target ${name}`);
    console.log(await ensureBuilt(target.name));
  }
}
