import { expect, test } from "bun:test";
import { initArguments, lastAction } from "../../../src/cli/init.ts";

const argv = ["single", "boot", "/vmlinuz", "--cmdline=a b"];

test("words that the kernel put in front are left out", () => {
  const line = 'console=ttyS0 single rdinit=/sbin/aegis-kexec -- boot /vmlinuz --cmdline="a b"';
  expect(initArguments(argv, line)).toEqual(argv.slice(1));
});

test("the initramfs that a boot loader names behind them is left out", () => {
  const given = ["boot", "/vmlinuz", "--initrd=/initrd.img", "initrd=\\boot\\initrd.img"];
  expect(initArguments(given, `rdinit=/sbin/aegis-kexec -- ${given.join(" ")}`)).toEqual(
    given.slice(0, 3),
  );
});

test("a quoted -- is one to the kernel, and to us", () => {
  for (const dashes of ['"--"', "--"]) {
    const line = `single rdinit=/sbin/aegis-kexec ${dashes} boot /vmlinuz --cmdline="a b"`;
    expect(initArguments(argv, line)).toEqual(argv.slice(1));
  }
  expect(initArguments(argv, 'single "--')).toEqual([]);
});

test("without -- or without the line all are taken", () => {
  expect(initArguments(argv, "console=ttyS0")).toEqual(argv);
  expect(initArguments(argv, undefined)).toEqual(argv);
  expect(initArguments(argv, "single --")).toEqual([]);
});

test("words that cannot be parsed still say how it ends", () => {
  expect(lastAction(["boot", "/vmlinuz", "--on-failure", "poweroff", "--typo"])).toBe("poweroff");
  expect(lastAction(["boot", "/vmlinuz", "--on-failure=poweroff"])).toBe("poweroff");
  for (const words of [[], ["boot", "poweroff"], ["boot", "--on-failure", "shell"]]) {
    expect(lastAction(words)).toBe("reboot");
  }
});
