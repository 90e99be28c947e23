/**
 * Builds the kernels that Debian does not build, for tests that want them, into the cache:
 *
 *   bun run kernels [--list] [NAME ...]
 *
 * Each once, and anew where its configuration has changed. What was interrupted goes on where it
 * stopped.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { duration } from "../../runner/times.ts";
import {
  type BuiltKernel,
  type BuiltName,
  buildTime,
  builtFolder,
  builtKernels,
  builtNames,
} from "../lib/built-kernels.ts";
import { configurationOf, configure, digestOf } from "./configuration.ts";
import { kernelSource } from "./source.ts";

/** Seconds between two lines of progress. */
const pace = 15;

/** One key for all of them, so that each kernel loads the others' signed images. */
const signingKey = join(builtFolder, "signing-key.pem");

interface Place {
  readonly source: string;
  readonly build: string;
  readonly make: readonly string[];
}

function placeOf(name: BuiltName, source: string): Place {
  const build = join(builtFolder, "build", name);
  const platform =
    builtKernels[name].arch === "x86_64"
      ? ["ARCH=x86"]
      : ["ARCH=arm64", "CROSS_COMPILE=aarch64-linux-gnu-"];
  return { source, build, make: ["make", "-C", source, `O=${build}`, ...platform] };
}

/** What the finished kernel was built from: it is built anew where this has changed. */
const recordOf = (name: BuiltName) => join(builtFolder, name, "configuration");

function isBuilt(name: BuiltName): boolean {
  const record = recordOf(name);
  return existsSync(record) && readFileSync(record, "utf8") === digestOf(builtKernels[name]);
}

async function buildKernel(name: BuiltName): Promise<void> {
  const source = await kernelSource(say);
  await makeSigningKey();
  const kernel: BuiltKernel = builtKernels[name];
  const place = placeOf(name, source);
  mkdirSync(place.build, { recursive: true });
  for (const warning of await configure(kernel, place, signingKey)) say(`${name}: ${warning}`);
  const start = performance.now();
  await make(name, kernel, place);
  await finish(name, kernel, place);
  say(`${name}: built in ${duration((performance.now() - start) / 1000)}`);
}

/** Its output is kept beside the build; one at a time for each kernel. */
async function make(name: BuiltName, { objects }: BuiltKernel, place: Place): Promise<void> {
  const log = join(place.build, "make.log");
  const alone = ["flock", "--nonblock", "--conflict-exit-code", "75", `${place.build}.lock`];
  const child = Bun.spawn([...alone, ...place.make, `-j${cpus().length}`], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: Bun.file(`${log}.errors`),
    env: { ...process.env, LC_ALL: "C" },
  });
  let made = [...new Bun.Glob("**/*.o").scanSync({ cwd: place.build })].length;
  const start = performance.now();
  const clock = setInterval(() => {
    const share = Math.min(99, Math.floor((made * 100) / objects));
    say(`${name}: about ${share} %, ${duration((performance.now() - start) / 1000)}`);
  }, pace * 1000);
  const writer = Bun.file(log).writer();
  for await (const bytes of child.stdout) {
    writer.write(bytes);
    made += bytes.filter((byte) => byte === 0x0a).length;
  }
  await writer.end();
  clearInterval(clock);
  const exit = await child.exited;
  if (exit === 75) throw new Error(`another process is building ${name}`);
  if (exit !== 0) {
    const errors = readFileSync(`${log}.errors`, "utf8").trim().split("\n").slice(-15).join("\n");
    throw new Error(`${name} could not be built, see ${log}:\n${errors}`);
  }
}

/** Puts what tests use where they look for it, all at once, and removes the rest. */
async function finish(name: BuiltName, kernel: BuiltKernel, place: Place): Promise<void> {
  const folder = join(builtFolder, `${name}.new`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const boot = join(place.build, "arch", kernel.arch === "x86_64" ? "x86/boot" : "arm64/boot");
  const copy = async (from: string, to: string) => {
    if (existsSync(from)) await Bun.write(join(folder, to), Bun.file(from));
  };
  await copy(join(boot, kernel.arch === "x86_64" ? "bzImage" : "Image"), "kernel");
  await copy(join(boot, "vmlinuz.efi"), "kernel.zboot");
  await copy(join(place.build, ".config"), "config");
  const modular = configurationOf(kernel).includes("CONFIG_MODULES=y");
  if (modular) {
    await copy(signingKey, "signing-key.pem");
    const install = ["modules_install", "INSTALL_MOD_STRIP=1", `INSTALL_MOD_PATH=${folder}`];
    await check([...place.make, "-s", ...install]);
    // A link to the folder of the build, which goes
    for (const link of new Bun.Glob("lib/modules/*/build").scanSync({
      cwd: folder,
      onlyFiles: false,
    })) {
      rmSync(join(folder, link));
    }
  }
  writeFileSync(join(folder, "configuration"), digestOf(kernel));
  const target = join(builtFolder, name);
  rmSync(target, { recursive: true, force: true });
  renameSync(folder, target);
  rmSync(place.build, { recursive: true, force: true });
}

async function makeSigningKey(): Promise<void> {
  if (existsSync(signingKey)) return;
  mkdirSync(builtFolder, { recursive: true });
  const subject = ["-subj", "/CN=kernels of the tests", "-days", "36500"];
  const files = ["-keyout", `${signingKey}.key`, "-out", `${signingKey}.certificate`];
  await check(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", ...subject, ...files]);
  const parts = [`${signingKey}.key`, `${signingKey}.certificate`];
  writeFileSync(`${signingKey}.new`, parts.map((path) => readFileSync(path, "utf8")).join(""));
  for (const path of parts) rmSync(path);
  renameSync(`${signingKey}.new`, signingKey);
}

async function check(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const [said, exit] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (exit !== 0) throw new Error(`${command.join(" ")}:\n${said.trim()}`);
}

function say(line: string): void {
  console.error(line);
}

async function main(args: readonly string[]): Promise<void> {
  const unknown = args.filter((word) => word !== "--list" && !Object.hasOwn(builtKernels, word));
  if (unknown.length > 0) {
    throw new Error(`no kernel is called ${unknown.join(" or ")}: ${builtNames.join(", ")}`);
  }
  const wanted = builtNames.filter((name) => args.includes(name));
  const names = wanted.length === 0 ? builtNames : wanted;
  const missing = names.filter((name) => !isBuilt(name));
  for (const name of names) say(`${isBuilt(name) ? "built    " : "not built"} ${name}`);
  if (args.includes("--list") || missing.length === 0) return;
  say(`building ${missing.join(", ")}: ${buildTime}; it can be interrupted`);
  for (const name of missing) await buildKernel(name);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  say(`kernels: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
}
