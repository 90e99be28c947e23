/** The library where it cannot work: it imports, and says why. */
import { expect, test } from "bun:test";
import * as library from "../../src/index.ts";
import { elsewhere, tellStatus, withoutJit, withoutLibc } from "./elsewhere.ts";

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
  const said = await withoutJit();
  expect(said).toStartWith("no-jit 3 ");
  expect(said).toContain("lift RLIMIT_AS");
});

test("without a C library: no-libc", async () => {
  const said = await withoutLibc();
  expect(said).toContain("no-libc 3 ");
  expect(said).toContain("\nput the C library");
});
