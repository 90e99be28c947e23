/** The boundary: numbers, what may cross, and errno. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { ENOENT } from "../../../src/errno.ts";
import { kexecFileLoad } from "../../../src/linux/kexec.ts";
import { libc } from "../../../src/linux/libc.ts";
import { needing } from "../../needs.ts";

const table = readFileSync(`${import.meta.dir}/../../../src/linux/syscalls.ts`, "utf8");
const rows = [...table.matchAll(/^ {2}(\w+): \[(\d+), (\d+)\],$/gm)];

for (const [column, name, header] of [
  [2, "x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"],
  [3, "aarch64", "/usr/include/asm-generic/unistd.h"],
] as const) {
  needing(header).test(`the numbers of ${name} are those of ${header}`, () => {
    const text = readFileSync(header, "utf8");
    const numbers = [...text.matchAll(/^#define __NR(?:3264)?_(\w+)\s+(\d+)$/gm)];
    const known = new Map(numbers.map(([, call, number]) => [call, number]));
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.map((row) => [row[1], row[column]])).toEqual(
      rows.map(([, call]) => [call, known.get(call)]),
    );
  });
}

const linux = test.skipIf(process.platform !== "linux");

linux.each([Number.NaN, Number.POSITIVE_INFINITY, 1.5, 2 ** 53, -(2 ** 53), new Uint8Array()])(
  "%p does not cross",
  (argument) => {
    expect(() => libc().call("close", argument)).toThrow(TypeError);
  },
);

linux.each([
  { kernelFd: -1, initrdFd: undefined },
  { kernelFd: Number.NaN, initrdFd: undefined },
  { kernelFd: 1.5, initrdFd: undefined },
  { kernelFd: 0, initrdFd: -1 },
])("%j is nothing to load", (descriptors) => {
  const rest = { cmdline: "", crash: false, debug: false, patient: false };
  expect(() => kexecFileLoad({ ...descriptors, ...rest })).toThrow("is not a descriptor");
});

linux("errno is that of the call, whatever the collector does between", () => {
  const path = new TextEncoder().encode("/nowhere\0");
  const results = new Set<number>();
  let garbage: unknown[] = [];
  for (let round = 0; round < 20_000; round++) {
    garbage.push(new Uint8Array(64));
    if (round % 2000 === 0) {
      garbage = [];
      Bun.gc(true);
    }
    results.add(libc().call("close", -1));
    results.add(libc().call("readlinkat", -100, path, new Uint8Array(16), 16));
  }
  const EBADF = 9; // include/uapi/asm-generic/errno-base.h
  expect([...results]).toEqual([-EBADF, -ENOENT]);
});
