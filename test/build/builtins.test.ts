/** Modules of the runtime that the program cannot ask for are gone, and those that it can are not. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { builtinCount, forgetBuiltins, reachable, readBuiltins } from "../../build/builtins.ts";
import { findRuntime } from "../../build/runtime.ts";
import { targets } from "../../build/targets.ts";
import { buildTarget } from "../../build.ts";
import { run } from "./run-target.ts";

const program = 'const{a}=process.getBuiltinModule("node:fs");import{dlopen}from"bun:ffi";';
let runtime = Buffer.alloc(0);
let scratch = "";
const runtimeOf = async (target: (typeof targets)[number] | undefined) => {
  if (target === undefined) throw new Error("there is no such target");
  return Buffer.from(await Bun.file(await findRuntime(target.runtime)).arrayBuffer());
};
beforeAll(async () => {
  runtime = await runtimeOf(targets.find(({ name }) => name === "linux-x64"));
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-builtins-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(targets)("$name", (target) => {
  test("has its modules where they are looked for", async () => {
    const bytes = await runtimeOf(target);
    const modules = readBuiltins(bytes);
    expect(modules.length).toBe(builtinCount);
    const kept = reachable(bytes, modules, program);
    for (const name of ["bun:ffi", "node:fs", "node:util", "node:stream", "internal:validators"]) {
      expect([...kept]).toContain(name);
    }
    for (const name of ["node:http2", "node:test", "node:repl", "node:wasi", "bun:sql", "ws"]) {
      expect([...kept]).not.toContain(name);
    }
  });
});

test("what a program names stays, with what that needs", () => {
  const modules = readBuiltins(runtime);
  const kept = reachable(runtime, modules, `${program}await import("node:http2")`);
  for (const name of ["node:http2", "node:http", "internal:http"])
    expect([...kept]).toContain(name);
});

test("nothing that stays names what goes", () => {
  const cut = Buffer.from(runtime);
  const modules = readBuiltins(cut);
  const kept = reachable(cut, modules, program);
  const byNumber = [...modules].sort((a, b) => a.at - b.at);
  for (const one of modules.filter(({ name }) => kept.has(name))) {
    const text = cut.toString("latin1", one.from, one.to);
    for (const [, number] of text.matchAll(/createInternalModuleById\((\d+)\)/g)) {
      const other = byNumber[Number(number)];
      if (other !== undefined) expect([...kept]).toContain(other.name);
    }
  }
  const stretches = forgetBuiltins(cut, program);
  const after = [...readBuiltins(cut)];
  for (const one of modules) {
    const now = after.find(({ name }) => name === one.name);
    const text = cut.toString("latin1", now?.from, now?.to);
    if (kept.has(one.name)) {
      expect(text).toBe(runtime.toString("latin1", one.from, one.to));
      expect(stretches.some(({ from, to }) => from < one.to && one.from < to)).toBe(false);
    } else expect(text).toContain("throw new Error(");
  }
});

test("a module that is gone throws where it is asked for", async () => {
  const entry = join(scratch, "asks.ts");
  await Bun.write(
    entry,
    `const name = ["node", "http2"].join(":");
try { process.getBuiltinModule(name); console.log("there"); } catch (error) { console.log(String(error)); }
try { await import(name); console.log("there"); } catch (error) { console.log(String(error)); }
console.log(typeof process.getBuiltinModule(["node", "fs"].join(":")).readFileSync);
`,
  );
  const binary = await buildTarget("linux-x64", { entry, outfile: join(scratch, "asks") });
  const gone = "Error: this module of the runtime is not in this program\n";
  expect(await run([binary])).toMatchObject({ exit: 0, stdout: `${gone}${gone}function\n` });
});

describe("refused is", () => {
  test.each<[string, (bytes: Buffer) => void, string]>([
    ["another version", (bytes) => bytes.write("\x02", at(bytes) + 8, "latin1"), "not one section"],
    ["another number", (bytes) => bytes.writeUInt32LE(196, at(bytes) + 16), "196 of them"],
    ["another table", (bytes) => bytes.writeUInt32LE(52, at(bytes) + 20), "of them"],
    ["another place", (bytes) => bytes.writeUInt32LE(6000, at(bytes) + 32), "are not as expected"],
  ])("%s", (_, change, message) => {
    const bytes = Buffer.from(runtime);
    change(bytes);
    expect(() => forgetBuiltins(bytes, program)).toThrow(message);
  });
});

/** Where the section begins: of two places with its name, the one with a version behind it. */
function at(bytes: Buffer): number {
  return bytes.indexOf(Buffer.from("BUNBLTNS\x01\0\0\0", "latin1"));
}
