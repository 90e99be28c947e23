/**
 * Finds the Bun runtime that a binary is made of, or installs it.
 *
 * Bun would fetch the runtime itself, but it checks no digest, takes any file
 * named after the target from the working directory, and for the building
 * machine's own target copies whichever `bun` happens to run. So the runtime
 * is installed as the npm package that it is, through the registry that the
 * machine is set up for, and used only when its SHA-256 is the pinned one.
 */

import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { bunVersion, type Runtime } from "./targets.ts";

const root = join(import.meta.dir, "..");

/**
 * Path of the verified executable of `runtime`.
 *
 * @throws Error when it cannot be installed or is not the pinned one.
 */
export async function findRuntime(runtime: Runtime): Promise<string> {
  // The building Bun itself, where it was built for this target
  if ((await sha256(process.execPath)) === runtime.sha256) return process.execPath;

  const name = runtime.package.slice(runtime.package.indexOf("/") + 1);
  const folder = join(root, ".cache", "runtimes", `${name}-${bunVersion}`);
  const cached = join(folder, "node_modules", runtime.package, runtime.executable);
  if ((await sha256(cached)) === runtime.sha256) return cached;

  await install(runtime, folder, async () => (await sha256(cached)) === runtime.sha256);
  const found = await sha256(cached);
  if (found !== runtime.sha256) {
    throw new Error(
      `${runtime.package}@${bunVersion} is not the pinned runtime: sha256 ${found ?? "(missing)"}, expected ${runtime.sha256}; \`bun pm cache rm\` drops a damaged download`,
    );
  }
  return cached;
}

/**
 * Installs into a folder of its own and moves it into place, so that two builds
 * at once do not meet. `isGood` says whether another one was quicker.
 */
async function install(
  runtime: Runtime,
  folder: string,
  isGood: () => Promise<boolean>,
): Promise<void> {
  console.error(`fetching ${runtime.package}@${bunVersion}`);
  const work = `${folder}.${process.pid}`;
  await rm(work, { recursive: true, force: true });
  await mkdir(work, { recursive: true });
  try {
    const manifest = { private: true, dependencies: { [runtime.package]: bunVersion } };
    await Bun.write(join(work, "package.json"), JSON.stringify(manifest));
    const child = Bun.spawn(
      [process.execPath, "install", "--cpu=*", "--os=*", "--ignore-scripts", "--no-save"],
      { cwd: work, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    const said = await new Response(child.stderr).text();
    if ((await child.exited) !== 0) {
      throw new Error(`cannot install ${runtime.package}@${bunVersion}:\n${said.trim()}`);
    }
    if (await isGood()) return;
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder).catch(async (error: unknown) => {
      if (!(await isGood())) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Hex SHA-256 of a file, `undefined` when there is none. */
async function sha256(path: string): Promise<string | undefined> {
  const file = Bun.file(path);
  if (!(await file.exists())) return undefined;
  const hash = new Bun.CryptoHasher("sha256");
  for await (const chunk of file.stream()) hash.update(chunk);
  return hash.digest("hex");
}
