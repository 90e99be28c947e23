import { expect, test } from "bun:test";
import { initArguments } from "../../../src/cli/init.ts";

const argv = ["single", "boot", "/vmlinuz", "--cmdline=a b"];

test("words that the kernel put in front are left out", () => {
  const line = 'console=ttyS0 single rdinit=/sbin/aegis-kexec -- boot /vmlinuz --cmdline="a b"';
  expect(initArguments(argv, line)).toEqual(argv.slice(1));
});

test("without -- or without the line all are taken", () => {
  expect(initArguments(argv, "console=ttyS0")).toEqual(argv);
  expect(initArguments(argv, undefined)).toEqual(argv);
  expect(initArguments(argv, "single --")).toEqual([]);
});
