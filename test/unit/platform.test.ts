/** The library off Linux: it imports, and every function says why it cannot. */
import { expect, test } from "bun:test";
import * as library from "../../src/index.ts";

/** Runs a script in a process that believes to be elsewhere. */
async function elsewhere(platform: string, script: string): Promise<string> {
  const pretend = `Object.defineProperty(process, "platform", { value: ${JSON.stringify(platform)} });`;
  const library = JSON.stringify(`${import.meta.dir}/../../src/index.ts`);
  const child = Bun.spawn(
    [process.execPath, "-e", `${pretend} const library = await import(${library}); ${script}`],
    { stdout: "pipe", stderr: "inherit" },
  );
  expect(await child.exited).toBe(0);
  return new Response(child.stdout).text();
}

const functions = Object.entries(library)
  .filter(([, value]) => typeof value === "function" && value !== library.KexecError)
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
    const lines = (await elsewhere(platform, script)).trim().split("\n");
    expect(lines).toEqual(functions.map((name) => `${name} true unsupported-platform 3`));
  });
}
