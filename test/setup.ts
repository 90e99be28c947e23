/**
 * Prepares a fresh machine for the demonstration, the tests or the benchmarks:
 * npm packages, QEMU and the tools that tests compare with, and Debian's
 * kernels and guest programs in the cache folder. Does nothing, quickly, where
 * all is there. Imports nothing that has to be installed first.
 *
 *   bun test/setup.ts [demo|quick|test|bench|fresh|kernels] [SYSTEM ...]
 *
 * Of the systems on disks and in folders that tests use, only those that are named (`none`: none of them); without a name, all.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { type SystemName, systemNames } from "./runner/systems.ts";
import {
  emulator,
  fleetTools,
  kernelTools,
  quickTools,
  type Tool,
  testTools,
} from "./runner/tools.ts";
import { makeArm64Image } from "./vm/lib/arm64-image.ts";
import { makeDebianRoot, makeLiveRoot, makeLuksRoot } from "./vm/lib/debian-root.ts";
import { asRoot } from "./vm/lib/host.ts";
import { demoPackages, fetchPackages, testPackages } from "./vm/lib/packages.ts";
import {
  makeFleetImage,
  makeInstalledImage,
  makeNewestSystemdImage,
  makeOpenrcImage,
  makeSystemdImage,
  makeTrixieImage,
} from "./vm/lib/systemd-image.ts";

/** What is to be run: a script of package.json, or the size of its tests. */
const purposes = ["demo", "quick", "test", "bench", "fresh", "kernels"] as const;
export type Purpose = (typeof purposes)[number];

const needs = {
  demo: { tools: emulator, packages: demoPackages },
  quick: { tools: quickTools, packages: [] },
  test: { tools: testTools, packages: testPackages },
  bench: { tools: testTools, packages: testPackages },
  fresh: { tools: fleetTools, packages: testPackages },
  kernels: { tools: kernelTools, packages: [] },
} as const;

/** Something that the user has to do. */
export class SetupError extends Error {}

const makers: Readonly<Record<SystemName, typeof makeSystemdImage>> = {
  systemd: makeSystemdImage,
  trixie: makeTrixieImage,
  "newest-systemd": makeNewestSystemdImage,
  openrc: makeOpenrcImage,
  arm64: makeArm64Image,
  installed: makeInstalledImage,
  "initramfs-tools": makeDebianRoot,
  live: makeLiveRoot,
  luks: makeLuksRoot,
};

const repository = resolve(import.meta.dir, "..");

/**
 * Makes the machine ready.
 * @param report takes the lines of progress; nothing is reported where nothing is done.
 * @throws SetupError with the one command to run, where it takes rights that this process lacks.
 */
export async function setup(
  purpose: Purpose,
  report = print,
  wanted: readonly SystemName[] = systemNames,
): Promise<void> {
  await installDependencies(report);
  await installTools(needs[purpose].tools, report);
  // At the same time: each waits for the network most of all
  const [missing, ...systems] = await Promise.all([
    fetchPackages(needs[purpose].packages, report),
    ...(purpose === "test" ? wanted.map((name) => makers[name](report)) : []),
    ...(purpose === "fresh" ? [makeFleetImage(report)] : []),
  ]);
  for (const [why, names] of Map.groupBy(missing.keys(), (name) => missing.get(name))) {
    report(`cannot get ${names.join(", ")}: ${why}`);
  }
  for (const problem of systems) if (problem !== undefined) report(problem);
  if (purpose === "demo" && missing.size > 0) {
    throw new SetupError("the demonstration needs these Debian packages");
  }
}

async function installDependencies(report: (line: string) => void): Promise<void> {
  const installed = ["citty", "valibot", "typescript", "bun-types", "@biomejs/biome"].every(
    (name) => existsSync(join(repository, "node_modules", name, "package.json")),
  );
  if (installed) return;
  report("installing npm packages");
  const command = [process.execPath, "install", "--frozen-lockfile"];
  if ((await run(command, report)) !== 0) throw new SetupError(`failed: ${command.join(" ")}`);
}

async function installTools(tools: readonly Tool[], report: (line: string) => void): Promise<void> {
  const wanted = tools.filter(({ proof }) => !isInstalled(proof)).map((tool) => tool.package);
  if (wanted.length === 0) return;
  const install = ["apt-get", "install", "--yes", "--no-install-recommends", ...wanted];
  const byHand = `sudo sh -c 'apt-get update && ${install.join(" ")}'`;
  if (Bun.which("apt-get") === null) {
    throw new SetupError(`install what Debian calls ${wanted.join(", ")}, then run this again`);
  }
  if (asRoot([]) === undefined)
    throw new SetupError(`run this, then run this again:\n\n  ${byHand}\n`);
  report(`installing ${wanted.join(", ")}`);
  const apt = (...command: string[]) =>
    run(asRoot(["env", "DEBIAN_FRONTEND=noninteractive", ...command]) ?? [], report);
  const stale = !hasPackageLists();
  if (stale) await apt("apt-get", "update");
  const installed = async () =>
    (await apt(...install)) === 0 && tools.every(({ proof }) => isInstalled(proof));
  if (await installed()) return;
  // Old package lists name files that the mirror has replaced.
  if (!stale && (await apt("apt-get", "update")) === 0 && (await installed())) return;
  throw new SetupError(`apt-get could not install them; by hand:\n\n  ${byHand}\n`);
}

function isInstalled(proof: string): boolean {
  if (proof.startsWith("/")) return existsSync(proof);
  return Bun.which(proof, { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` }) !== null;
}

function hasPackageLists(): boolean {
  const lists = "/var/lib/apt/lists";
  return existsSync(lists) && readdirSync(lists).some((file) => file.includes("_Packages"));
}

/** Runs a command and reports its steps, one line each; all of its errors. */
async function run(command: readonly string[], report: (line: string) => void): Promise<number> {
  const child = Bun.spawn([...command], {
    cwd: repository,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of child.stdout) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (/^(Get:|Setting up |[0-9]+ packages? installed)/.test(line)) report(`  ${line.trim()}`);
    }
  }
  return child.exited;
}

function print(line: string): void {
  console.error(line);
}

if (import.meta.main) {
  const purpose = purposes.find((one) => one === (process.argv[2] ?? "test"));
  const words = process.argv.slice(3);
  const named = words.filter((word) => word !== "none");
  const systems = systemNames.filter((name) => named.includes(name));
  if (purpose === undefined || systems.length < named.length) {
    console.error(
      `usage: bun test/setup.ts [${purposes.join("|")}] [${systemNames.join("|")} ...]`,
    );
    process.exit(2);
  }
  try {
    await setup(purpose, print, words.length === 0 ? systemNames : systems);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(`setup: ${error.message}`);
    process.exit(1);
  }
}
