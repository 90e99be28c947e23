/** The library in processes where it cannot work: what `status` says there. */
import { expect } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const source = JSON.stringify(`${import.meta.dir}/../../src/index.ts`);

async function printed(...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "ignore" });
  expect(await child.exited).toBe(0);
  return new Response(child.stdout).text();
}

/** Runs a script in a process that believes to be elsewhere; the library is in `library`. */
export function elsewhere(
  property: "platform" | "arch",
  value: string,
  script: string,
): Promise<string> {
  const pretend = `Object.defineProperty(process, "${property}", { value: ${JSON.stringify(value)} });`;
  const load = `const library = await import(${source});`;
  return printed(process.execPath, "-e", `${pretend} ${load} ${script}`);
}

/** Prints code, exit code and hint. */
export const tellStatus =
  'await library.status().catch(({ code, exit, hint }) => console.log(code, exit, hint ?? ""));';

export function withoutJit(): Promise<string> {
  const script = `const library = await import(${source}); ${tellStatus}`;
  const limited = 'ulimit -v 2000000; exec "$0" -e "$1"';
  return printed("/bin/sh", "-c", limited, process.execPath, script);
}

/** What `bun test` prints around it as well. */
export async function withoutLibc(): Promise<string> {
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
    return await printed(process.execPath, "test", file);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
