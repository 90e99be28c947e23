/**
 * What the built binary promises of itself, shown on the file. An unprotected
 * binary from the same sources stands beside it: where that one does not fall,
 * the test would show nothing.
 */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cp, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureBuilt } from "../../build/reuse.ts";
import { findRuntime } from "../../build/runtime.ts";
import { foreignRuntimes, targets } from "../../build/targets.ts";
import { buildTarget, compile } from "../../build.ts";
import { version } from "../../package.json" with { type: "json" };
import { needing } from "../needs.ts";
import { type Outcome, run } from "./run-target.ts";

const root = join(import.meta.dir, "..", "..");
const here = process.platform === "linux" ? process.arch : undefined;
const native = targets.find(({ name }) => name === `linux-${here}`);

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-build-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.skipIf(native === undefined)("the binary of this machine", () => {
  let binary = "";
  let unprotected = "";
  let probe = "";
  let wanted: Outcome = { exit: -1, stdout: "", stderr: "" };

  beforeAll(async () => {
    if (native === undefined) return;
    binary = await ensureBuilt(native.name);
    wanted = await run([binary, "--version"]);
    unprotected = join(scratch, "unprotected");
    const runtime = await findRuntime(native.runtime);
    await compile(join(root, "src", "main.ts"), `bun-${native.name}`, runtime, unprotected);
    await Bun.write(
      join(scratch, "probe.ts"),
      "console.log(JSON.stringify([process.env['AEGIS_PROBE'] ?? null, process.execArgv]));",
    );
    probe = join(scratch, "probe");
    await buildTarget(native.name, { entry: join(scratch, "probe.ts"), outfile: probe });
  }, 120_000);

  test("prints its own version, not Bun's", () => {
    expect(wanted.exit).toBe(0);
    expect(wanted.stderr).toBe("");
    expect(wanted.stdout).toContain(version);
    expect(wanted.stdout).not.toContain(Bun.version);
  });

  for (const command of [
    "strip",
    "strip -g",
    "objcopy --strip-all",
    "eu-strip",
    "llvm-strip",
    "llvm-objcopy --strip-all",
  ]) {
    const [tool = "", ...flags] = command.split(" ");
    needing(tool).test(`${command} leaves it working`, async () => {
      const copy = join(scratch, `copy-${command.replaceAll(" ", "")}`);
      await cp(binary, copy);
      await run([tool, ...flags, copy], { env: { PATH: process.env["PATH"] ?? "" } });
      expect(await run([copy, "--version"])).toEqual(wanted);
    });
  }

  needing("strip").test("strip breaks the unprotected one", async () => {
    const copy = join(scratch, "copy-unprotected");
    await cp(unprotected, copy);
    await run(["strip", copy], { env: { PATH: process.env["PATH"] ?? "" } });
    expect((await run([copy, "--version"])).stdout).toBe(`${Bun.version}\n`);
  });

  // Each changes what the unprotected binary does, so that each row can fail
  const doors = [
    ["BUN_BE_BUN", "1"],
    ["BUN_OPTIONS", "--version"],
    ["BUN_OPTIONS", "--help"],
    ["BUN_OPTIONS", "--preload=/proc/cmdline"],
    ["BUN_INSPECT_PRELOAD", "/proc/cmdline"],
    ["BUN_JSC_dumpOptions", "1"],
    ["BUN_JSC_noSuchOption", "1"],
    ["JSC_SIGNAL_FOR_GC", "0"],
  ] as const;

  test.each(doors)("%s=%s changes nothing", async (name, value) => {
    expect(await run([binary, "--version"], { env: { [name]: value } })).toEqual(wanted);
    expect(await run([unprotected, "--version"], { env: { [name]: value } })).not.toEqual(wanted);
  });

  test.each(["=1", "==1", "=UN_BE_BUN=1", ".UN_BE_BUN=1", "UN_BE_BUN=1"])(
    "an environment of %s opens nothing",
    async (entry) => {
      const environment = await run(["env", "-i", entry, "cat", "/proc/self/environ"]);
      expect(environment.stdout).toBe(`${entry}\0`);
      expect(await run(["env", "-i", entry, binary, "--version"])).toEqual(wanted);
    },
  );

  test("a .env and a bunfig.toml in the working directory are not read", async () => {
    const cwd = join(scratch, "cwd");
    const marker = join(cwd, "marker");
    await mkdir(cwd);
    await Bun.write(join(cwd, ".env"), "AEGIS_PROBE=from-dotenv\n");
    await Bun.write(join(cwd, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    await Bun.write(
      join(cwd, "preload.ts"),
      `await Bun.write(${JSON.stringify(marker)}, "preloaded");`,
    );

    const asBun = await run([process.execPath, join(scratch, "probe.ts")], { cwd });
    expect(asBun.stdout).toContain("from-dotenv");
    expect(await Bun.file(marker).exists()).toBe(true);
    await rm(marker);

    const probed = await run([probe], { cwd });
    expect(probed.stderr).toBe("");
    expect(JSON.parse(probed.stdout)).toEqual([
      null,
      [
        "--disallow-code-generation-from-strings=strict",
        "--no-addons",
        "--no-ffi-cc",
        "--no-install",
      ],
    ]);
    expect(await run([binary, "--version"], { cwd })).toEqual(wanted);
    expect(await Bun.file(marker).exists()).toBe(false);
  });

  needing("strace").test("reads no file but the system's own", async () => {
    const trace = join(scratch, "trace");
    const cwd = join(scratch, "empty");
    await mkdir(cwd);
    const env = { PATH: process.env["PATH"] ?? "" };
    const strace = ["strace", "-f", "-qq", "-e", "trace=open,openat", "-o", trace];
    expect(await run([...strace, binary, "--version"], { cwd, env })).toEqual(wanted);
    const opened = [...(await Bun.file(trace).text()).matchAll(/"([^"]*)"/g)].map(
      ([, path]) => path,
    );
    const system =
      /^(\/(usr\/)?lib(64)?\/|\/proc\/|\/sys\/|\/etc\/ld\.so\.|\/etc\/localtime$|\/usr\/share\/zoneinfo\/)/;
    expect(opened.length).toBeGreaterThan(0);
    expect(opened.filter((path) => !system.test(path ?? ""))).toEqual([]);
  });

  test("has the same bytes when built in another folder", async () => {
    if (native === undefined) return;
    const folder = join(scratch, "a-folder-with-a-longer-name", "aegis");
    await mkdir(folder, { recursive: true });
    for (const part of ["src", "build", "build.ts", "package.json", "tsconfig.json", "bun.lock"]) {
      await cp(join(root, part), join(folder, part), { recursive: true });
    }
    // What goes into the binary must lie there as `bun install` lays it: names are made of paths.
    const modules = join(folder, "node_modules");
    await mkdir(modules);
    for (const name of await readdir(join(root, "node_modules"))) {
      const from = join(root, "node_modules", name);
      const shipped = name === "citty" || name === "valibot";
      await (shipped
        ? cp(from, join(modules, name), { recursive: true })
        : symlink(from, join(modules, name)));
    }
    const built = await run([process.execPath, "build.ts", "--target", native.name], {
      cwd: folder,
      env: { HOME: scratch, PATH: "/nowhere" },
    });
    expect(built).toMatchObject({ exit: 0 });
    expect(built.stdout).toMatch(
      new RegExp(`^dist/aegis-kexec-${native.name}  \\d+\\.\\d MB  \\d+\\.\\d s\\n$`),
    );
    const there = Buffer.from(
      await Bun.file(join(folder, "dist", `aegis-kexec-${native.name}`)).arrayBuffer(),
    );
    expect(there.equals(await Bun.file(binary).bytes())).toBe(true);
    expect(there.includes(folder)).toBe(false);
    expect(await readdir(join(folder, "dist"))).toEqual([`aegis-kexec-${native.name}`]);
  }, 60_000);
});

describe("bun build.ts", () => {
  test.each([
    [["--targt", "linux-x64"], "--targt"],
    [["--target"], "--target"],
    [["--target", "linux-riscv"], "no such target: linux-riscv"],
    [["--target", "linux-x64", "--target", "linux-x64"], "more than once"],
    [["linux-x64"], "linux-x64"],
  ])("refuses %p", async (args, said) => {
    const outcome = await run([process.execPath, join(root, "build.ts"), ...args]);
    expect(outcome).toMatchObject({ exit: 2, stdout: "" });
    expect(outcome.stderr).toContain(said);
  });

  test("--help names every target", async () => {
    const outcome = await run([process.execPath, join(root, "build.ts"), "--help"]);
    expect(outcome).toMatchObject({ exit: 0, stderr: "" });
    for (const { name } of targets) expect(outcome.stdout).toContain(name);
  });
});

for (const [name, runtime] of Object.entries(foreignRuntimes)) {
  const path = await findRuntime(runtime).catch(() => undefined);
  for (const entry of ["src/index.ts", "src/main.ts"]) {
    needing(...(path === undefined ? [`Bun's runtime for ${name}`] : [])).test(
      `${entry} compiles for ${name}`,
      async () => {
        const target = name === "windows-x64" ? "bun-windows-x64" : "bun-darwin-arm64";
        const folder = await mkdtemp(join(scratch, "foreign-"));
        await compile(join(root, entry), target, path ?? "", join(folder, "aegis-kexec"));
        const [written] = await readdir(folder);
        const start = await Bun.file(join(folder, written ?? ""))
          .slice(0, 4)
          .bytes();
        // Mach-O 64-bit little endian, or PE
        const magic = name === "windows-x64" ? "4d5a" : "cffaedfe";
        expect(start.toHex()).toStartWith(magic);
      },
      60_000,
    );
  }
}
