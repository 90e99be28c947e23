/** What the engine's defaults are, told by the runtime itself, and what comes of them in a load. */

import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineChanges, expectShortRuns } from "../../build/engine.ts";
import { ensureBuilt } from "../../build/reuse.ts";
import { findRuntime } from "../../build/runtime.ts";
import { targets } from "../../build/targets.ts";
import { encodeArchive } from "../../src/initramfs/cpio.ts";
import { needing } from "../needs.ts";
import { makeArm64, makeBzImage } from "../unit/image/build.ts";
import { assembled, assemblers, engineSource } from "./assembly.ts";
import { addressOf } from "./elf.ts";
import { launcherOf, run, tracerOf } from "./run-target.ts";

let scratch = "";
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "aegis-kexec-engine-"));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(targets)("$name", ({ name, architecture, runtime }) => {
  let pinned = "";
  let before = Buffer.alloc(0);
  let after = Buffer.alloc(0);
  beforeAll(async () => {
    pinned = await findRuntime(runtime);
    before = Buffer.from(await Bun.file(pinned).arrayBuffer());
    after = Buffer.from(before);
    expectShortRuns(after, name);
  }, 120_000);

  const launcher = launcherOf(name);
  needing(...(launcher === undefined ? [`what runs ${name}`] : [])).test(
    "two options have other defaults, and no other has",
    async () => {
      const patched = join(scratch, name);
      await Bun.write(patched, after);
      await chmod(patched, 0o755);
      const options = async (bun: string) => {
        // 2: all options; the doors are still open. An engine is made only where there is something to run.
        const command = [...(launcher ?? []), bun, "-e", "1"];
        const outcome = await run(command, { env: { BUN_JSC_dumpOptions: "2" } });
        expect(outcome).toMatchObject({ exit: 0, stdout: "" });
        return outcome.stderr.split("\n").map((line) => line.trim());
      };
      const [all, now] = [await options(pinned), await options(patched)];
      await rm(patched);
      expect(all.length).toBeGreaterThan(500);
      expect(now.length).toBe(all.length);
      expect(all.filter((line, i) => line !== now[i]).toSorted()).toEqual([
        "thresholdForJITAfterWarmUp=500",
        "warmUpMarkedBlockCount=32",
      ]);
      expect(now.filter((line, i) => line !== all[i]).toSorted()).toEqual([
        "thresholdForJITAfterWarmUp=50000",
        "warmUpMarkedBlockCount=0",
      ]);
    },
    120_000,
  );

  test("nothing but the two places changes", () => {
    const changes = engineChanges(name);
    expect(changes.length).toBe(2);
    for (const { from, to } of changes) {
      const at = before.indexOf(from);
      expect(to.length).toBe(from.length);
      expect(Buffer.compare(after.subarray(at, at + to.length), to)).toBe(0);
      after.set(from, at);
    }
    expect(after.equals(before)).toBe(true);
    expectShortRuns(after, name);
  });

  test.each(engineChanges(name))(
    "refuses a runtime without $what, or with two",
    ({ what, from }) => {
      const anew = "look at the new Bun anew";
      const without = Buffer.from(before);
      without.fill(0, before.indexOf(from), before.indexOf(from) + 1);
      expect(() => expectShortRuns(without, name)).toThrow(
        `${what} is not in this runtime: ${anew}`,
      );
      const twice = Buffer.concat([before, from]);
      expect(() => expectShortRuns(twice, name)).toThrow(
        `${what} is in this runtime more than once: ${anew}`,
      );
    },
  );

  if (architecture === "arm64") {
    needing(...assemblers("arm64")).test("the assembler makes the same instructions", async () => {
      const code = await assembled("arm64", engineSource);
      const at = after.indexOf(code);
      expect(at).toBeGreaterThan(0);
      expect(before.indexOf(code)).toBe(-1);
      // The adrp that stood between them and is behind them now counts from the same page.
      const adrp = before.subarray(at + 4, at + 8);
      expect(adrp.readUInt32LE() & 0x9f000000).toBe(0x90000000 | 0);
      expect(after.subarray(at + 8, at + 12).equals(adrp)).toBe(true);
      const [from, to] = [addressOf(before, at + 4), addressOf(before, at + 8)];
      expect(Math.floor(from / 4096)).toBe(Math.floor(to / 4096));
    });
  }

  needing(...(tracerOf(name) === undefined ? [`what traces ${name}`] : [])).test(
    "a load begins no thread: none compiles, none makes memory ready",
    async () => {
      const kernel = join(scratch, `${name}-kernel`);
      const archive = join(scratch, `${name}-archive`);
      await Bun.write(kernel, architecture === "arm64" ? makeArm64() : makeBzImage());
      await Bun.write(archive, encodeArchive([{ type: "directory", path: "new" }]));
      const load = ["load", kernel, "--initrd", archive, "--cmdline", "x", "--dry-run"];
      const outcome = await run([...(tracerOf(name) ?? []), await ensureBuilt(name), ...load]);
      expect(outcome).toMatchObject({ exit: 0 });
      expect(outcome.stdout).toContain("this kernel would be loaded");
      expect(outcome.stderr).toMatch(/openat\(.*-archive/);
      expect(outcome.stderr.match(/\b(v?fork|clone3?)\(.*/g)).toBeNull();
    },
    300_000,
  );
});
