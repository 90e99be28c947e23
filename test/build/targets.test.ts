/** What each target's binary promises, shown on the file, and by running it where that can be done. */

import { beforeAll, describe, expect, test } from "bun:test";
import { doorNames } from "../../build/doors.ts";
import { engineChanges } from "../../build/engine.ts";
import { askKernelForRandom } from "../../build/random.ts";
import { ensureBuilt } from "../../build/reuse.ts";
import { findRuntime } from "../../build/runtime.ts";
import { targets } from "../../build/targets.ts";
import { version } from "../../package.json" with { type: "json" };
import { needing } from "../needs.ts";
import { addressOf, memoryOf, readElfNeeds } from "./elf.ts";
import { launcherOf, run, tracerOf } from "./run-target.ts";

/** Offsets of the first and the last byte that differ. */
function firstAndLastDifference(a: Buffer, b: Buffer): [number, number] {
  let [first, last] = [0, a.length - 1];
  while (first < last && a[first] === b[first]) first += 1;
  while (last > first && a[last] === b[last]) last -= 1;
  return [first, last];
}

const promised = {
  "linux-x64": { machine: 62, interpreter: "/lib64/ld-linux-x86-64.so.2" },
  "linux-arm64": { machine: 183, interpreter: "/lib/ld-linux-aarch64.so.1" },
  "linux-x64-musl": { machine: 62, interpreter: "/lib/ld-musl-x86_64.so.1" },
  "linux-arm64-musl": { machine: 183, interpreter: "/lib/ld-musl-aarch64.so.1" },
};

describe.each(targets)("$name", ({ name, architecture, runtime }) => {
  let path = "";
  let file = Buffer.alloc(0);
  beforeAll(async () => {
    path = await ensureBuilt(name);
    file = Buffer.from(await Bun.file(path).arrayBuffer());
  }, 300_000);

  test("is a program for its machine and loader, without a section table", () => {
    expect(readElfNeeds(file)).toMatchObject({ ...promised[name], sections: 0 });
  });

  test("needs the C library of its kind and nothing newer than GLIBC_2.17", () => {
    const { libraries, versions } = readElfNeeds(file);
    if (name.endsWith("musl")) {
      const libc = architecture === "x64" ? "libc.musl-x86_64.so.1" : "libc.musl-aarch64.so.1";
      expect([...libraries].sort()).toEqual([libc, "libstdc++.so.6"]);
      return;
    }
    const allowed = ["libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0"];
    expect(
      libraries.filter((one) => !allowed.includes(one) && !one.startsWith("ld-linux")),
    ).toEqual([]);
    const glibc = versions.filter((one) => one.startsWith("GLIBC_2."));
    expect(glibc.length).toBeGreaterThan(0);
    expect(glibc.filter((one) => Number(one.split(".")[1]) > 17)).toEqual([]);
  });

  test("has every door's name emptied where the runtime holds it", async () => {
    const pinned = Buffer.from(await Bun.file(await findRuntime(runtime)).arrayBuffer());
    for (const door of doorNames(architecture)) {
      const at = addressOf(pinned, pinned.indexOf(`\0${door}\0`));
      const there = memoryOf(file, at, door.length + 2).bytes.toString("latin1");
      expect(there).toBe(`\0\0${door.slice(1)}\0`);
    }
  });

  test("has another reader of random numbers, and no random numbers in it", async () => {
    const pinned = Buffer.from(await Bun.file(await findRuntime(runtime)).arrayBuffer());
    const patched = Buffer.from(pinned);
    askKernelForRandom(patched, { name, architecture, runtime });
    const changed = [...firstAndLastDifference(pinned, patched)];
    const [first = 0, last = 0] = changed;
    const length = last - first + 1;
    const there = memoryOf(file, addressOf(pinned, first), length).bytes;
    expect(there.equals(patched.subarray(first, last + 1))).toBe(true);
    expect(length).toBeLessThan(80);
    expect(
      file
        .toString("latin1")
        .match(/[0-9a-f]{16}C\d{8}/g)
        ?.every((one) => one.startsWith("0000000000000000C")),
    ).toBe(true);
  });

  test("has other defaults of the engine where the runtime holds them", async () => {
    const pinned = Buffer.from(await Bun.file(await findRuntime(runtime)).arrayBuffer());
    for (const { from, to } of engineChanges(name)) {
      const at = addressOf(pinned, pinned.indexOf(from));
      expect(Buffer.compare(memoryOf(file, at, to.length).bytes, to)).toBe(0);
    }
  });

  const launcher = launcherOf(name);
  needing(...(launcher === undefined ? [`what runs ${name}`] : [])).test("runs", async () => {
    const outcome = await run([...(launcher ?? []), path, "--version"]);
    expect(outcome).toMatchObject({ exit: 0, stderr: "" });
    expect(outcome.stdout).toContain(version);
  });

  // An initramfs need not have one, and a runtime that opens it aborts there.
  needing(...(tracerOf(name) === undefined ? [`what traces ${name}`] : [])).test(
    "opens nothing below /dev",
    async () => {
      const outcome = await run([...(tracerOf(name) ?? []), path, "--version"]);
      expect(outcome.exit).toBe(0);
      expect(outcome.stderr).toMatch(/open(at)?\(/);
      const random = outcome.stderr.match(/getrandom\(.*/g) ?? [];
      expect(random.some((call) => /,\s*(4|GRND_INSECURE)\)/.test(call))).toBe(true);
      expect(outcome.stderr.match(/open(at)?\(.*"\/dev\/.*/g)).toBeNull();
    },
  );
});
