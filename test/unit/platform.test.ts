/** The library where it cannot work: it imports, and says why. */
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as library from "../../src/index.ts";

const source = JSON.stringify(`${import.meta.dir}/../../src/index.ts`);

async function printed(...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "ignore" });
  expect(await child.exited).toBe(0);
  return new Response(child.stdout).text();
}

/** Runs a script in a process that believes to be elsewhere. */
function elsewhere(property: "platform" | "arch", value: string, script: string): Promise<string> {
  const pretend = `Object.defineProperty(process, "${property}", { value: ${JSON.stringify(value)} });`;
  const load = `const library = await import(${source});`;
  return printed(process.execPath, "-e", `${pretend} ${load} ${script}`);
}

const tellStatus =
  'await library.status().catch(({ code, exit, hint }) => console.log(code, exit, hint ?? ""));';

/** What looks at an error asks nothing of the machine. */
const ofErrors: readonly unknown[] = [library.KexecError, library.hasCode];

const functions = Object.entries(library)
  .filter(([, value]) => typeof value === "function" && !ofErrors.includes(value))
  .map(([name]) => name);

test("the library has functions to try", () => {
  expect(functions).toContain("load");
  expect(functions).toContain("exec");
  expect(functions).toContain("status");
});

for (const platform of ["darwin", "win32"]) {
  test(`on ${platform} every function throws unsupported-platform`, async () => {
    const script = `
      for (const name of ${JSON.stringify(functions)}) {
        try {
          await library[name](name.startsWith("load") ? undefined : { nonsense: 1 });
          console.log(name, "returned");
        } catch (error) {
          console.log(name, error instanceof library.KexecError, error.code, error.exit);
        }
      }`;
    const lines = (await elsewhere("platform", platform, script)).trim().split("\n");
    expect(lines).toEqual(functions.map((name) => `${name} true unsupported-platform 3`));
  });
}

test("on another processor: unsupported-architecture", async () => {
  expect(await elsewhere("arch", "riscv64", tellStatus)).toBe("unsupported-architecture 3 \n");
});

test("without memory for the JIT: no-jit", async () => {
  const script = `const library = await import(${source}); ${tellStatus}`;
  const limited = 'ulimit -v 2000000; exec "$0" -e "$1"';
  const said = await printed("/bin/sh", "-c", limited, process.execPath, script);
  expect(said).toStartWith("no-jit 3 ");
  expect(said).toContain("lift RLIMIT_AS");
});

test("without a C library: no-libc", async () => {
  const folder = mkdtempSync(join(tmpdir(), "no-libc-"));
  try {
    // A process of its own: a module that is mocked stays so for all tests after it.
    const file = join(folder, "mocked.test.ts");
    writeFileSync(
      file,
      `import { mock, test } from "bun:test";
      test("no libc", async () => {
        const real = await import("bun:ffi");
        const dlopen = () => { throw new Error("cannot open shared object file"); };
        mock.module("bun:ffi", () => ({ ...real, dlopen }));
        const library = await import(${source});
        ${tellStatus}
      });`,
    );
    const said = await printed(process.execPath, "test", file);
    expect(said).toContain("no-libc 3 ");
    expect(said).toContain("\nput the C library");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
