import { beforeAll, describe, expect, test } from "bun:test";
import { askKernelForRandom } from "../../build/random.ts";
import { findRuntime } from "../../build/runtime.ts";
import { targets } from "../../build/targets.ts";
import { needing } from "../needs.ts";
import { assembled, assemblers, randomSources } from "./assembly.ts";

describe.each(targets)("$name", (target) => {
  let pinned = Buffer.alloc(0);
  beforeAll(async () => {
    pinned = Buffer.from(await Bun.file(await findRuntime(target.runtime)).arrayBuffer());
  }, 120_000);

  needing(...assemblers(target.architecture)).test(
    "only the function changes, into what the assembler makes",
    async () => {
      const patched = Buffer.from(pinned);
      askKernelForRandom(patched, target);
      const code = await assembled(target.architecture, randomSources[target.architecture]);
      const at = patched.indexOf(code);
      expect(at).toBeGreaterThan(0);
      expect(pinned.indexOf(code)).toBe(-1);
      const end = at + code.length;
      expect(patched.subarray(0, at).equals(pinned.subarray(0, at))).toBe(true);
      expect(patched.subarray(end).equals(pinned.subarray(end))).toBe(true);
    },
  );

  test("a runtime without the function, or with two of them, is refused", () => {
    const patched = Buffer.from(pinned);
    askKernelForRandom(patched, target);
    expect(() => askKernelForRandom(patched, target)).toThrow("look at the new Bun anew");
    const twice = Buffer.concat([pinned, pinned]);
    expect(() => askKernelForRandom(twice, target)).toThrow("look at the new Bun anew");
  });
});
