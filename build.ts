/**
 * `bun build.ts`: the binaries of every target, into dist/; `bun build.ts mkoverlay`: an archive to
 * append to an initramfs.
 *
 * Two builds of the same sources with the same Bun give the same bytes,
 * wherever they stand.
 */

import { chmod, mkdir, mkdtemp, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { cutUnused } from "./build/cut.ts";
import { closeDoors } from "./build/doors.ts";
import { dropSectionTable } from "./build/elf.ts";
import { expectShortRuns } from "./build/engine.ts";
import { mountProcFirst } from "./build/first-process.ts";
import { askKernelForRandom } from "./build/random.ts";
import { findRuntime } from "./build/runtime.ts";
import { startupShims } from "./build/shims.ts";
import { steadyNames } from "./build/steady.ts";
import { bunVersion, type Target, targets } from "./build/targets.ts";
import { loadedTogether } from "./build/together.ts";

const root = import.meta.dir;

export interface BuildOptions {
  /** The program's first file; default `src/main.ts`. */
  readonly entry?: string;
  /** The binary to write; default `dist/aegis-kexec-TARGET`. */
  readonly outfile?: string;
  /** Cuts nothing out: for tests, which hold one beside the other. */
  readonly uncut?: boolean;
}

/**
 * Builds one target's binary and returns its absolute path.
 *
 * The file appears at its place whole and at once: a reader of an earlier one
 * is not disturbed.
 *
 * @throws Error that says why it cannot be built.
 */
export async function buildTarget(
  name: Target["name"],
  options: BuildOptions = {},
): Promise<string> {
  const target = targets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`no such target: ${name}`);
  if (Bun.version !== bunVersion) {
    throw new Error(`built with Bun ${bunVersion} only, this is ${Bun.version}`);
  }
  const entry = resolve(options.entry ?? join(root, "src", "main.ts"));
  const outfile = resolve(options.outfile ?? join(root, "dist", `aegis-kexec-${name}`));
  const runtime = await findRuntime(target.runtime);

  await mkdir(dirname(outfile), { recursive: true });
  // Beside the outfile, because a rename must not cross file systems
  const work = await mkdtemp(join(dirname(outfile), `.${basename(outfile)}-`));
  try {
    // Before compiling, so that only the runtime is searched and not the program's own strings
    const closed = Buffer.from(await Bun.file(runtime).arrayBuffer());
    closeDoors(closed, target.architecture);
    askKernelForRandom(closed, target);
    expectShortRuns(closed, name);
    const patched = join(work, "runtime");
    await Bun.write(patched, closed);
    await chmod(patched, 0o755);
    // The outfile's name is in the binary: it must not depend on where it is written
    const compiled = join(work, "aegis-kexec");
    await compile(entry, `bun-${name}`, patched, compiled);
    const file = await Bun.file(compiled).bytes();
    steadyNames(file);
    dropSectionTable(file);
    const finished = join(work, "finished");
    const whole = mountProcFirst(file, target.architecture);
    await Bun.write(
      finished,
      options.uncut === true ? whole : cutUnused(whole, closed, target.architecture),
    );
    await chmod(finished, 0o755);
    await rename(finished, outfile);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return outfile;
}

/**
 * Compiles `entry` into an executable around the given Bun runtime, nothing
 * patched yet.
 *
 * @throws Error with what the bundler said.
 */
export async function compile(
  entry: string,
  target: Bun.Build.CompileTarget,
  runtime: string,
  outfile: string,
): Promise<void> {
  const result = await Bun.build({
    entrypoints: [entry],
    format: "esm",
    // Names stay: with short ones every start takes a tenth more instructions, and a trace tells less.
    minify: { whitespace: true, syntax: true, identifiers: false },
    bytecode: true,
    splitting: true,
    sourcemap: "none",
    throw: false,
    // Values of the building machine's environment stay out of the binary
    env: "disable",
    plugins: [loadedTogether, startupShims],
    compile: {
      target,
      executablePath: runtime,
      outfile,
      autoloadDotenv: false,
      autoloadBunfig: false,
      autoloadTsconfig: false,
      autoloadPackageJson: false,
      execArgv: [
        "--disallow-code-generation-from-strings=strict",
        "--no-addons",
        "--no-ffi-cc",
        "--no-install",
      ],
    },
  });
  if (!result.success) throw new Error(`cannot compile:\n${result.logs.join("\n")}`);
}

const help = `usage: bun build.ts [--target TARGET]
       bun build.ts mkoverlay [OPTION]...

Writes dist/aegis-kexec-TARGET for every target, or for the given one:
${targets.map(({ name }) => `  ${name}`).join("\n")}

  --target TARGET  build this one only
  --help           show this text

mkoverlay writes an archive to append to any initramfs; mkoverlay --help tells of it.
`;

async function main(args: readonly string[]): Promise<number> {
  if (args[0] === "mkoverlay") {
    // Here only, because it builds what it packs by this file
    const { runMkoverlay } = await import("./build/overlay.ts");
    return runMkoverlay(args.slice(1));
  }
  let wanted: readonly Target[] = targets;
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: { target: { type: "string", multiple: true }, help: { type: "boolean" } },
    });
    if (values.help === true) {
      await Bun.write(Bun.stdout, help);
      return 0;
    }
    const names = values.target;
    if (names !== undefined) {
      if (names.length > 1) throw new Error("--target was given more than once");
      wanted = targets.filter(({ name }) => name === names[0]);
      if (wanted.length === 0) throw new Error(`no such target: ${names[0]}`);
    }
  } catch (error) {
    console.error(`build: ${messageOf(error)}\n\n${help}`);
    return 2;
  }
  // Bun names modules by their way from the working directory, and the bytes hang on the names.
  process.chdir(root);
  try {
    for (const { name } of wanted) {
      const started = performance.now();
      const path = await buildTarget(name);
      const megabytes = (Bun.file(path).size / 1e6).toFixed(1);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      console.log(`dist/${basename(path)}  ${megabytes} MB  ${seconds} s`);
    }
    return 0;
  } catch (error) {
    console.error(`build: ${messageOf(error)}`);
    return 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

if (import.meta.main) process.exitCode = await main(Bun.argv.slice(2));
