import { expect, test } from "bun:test";
import { closeSync, openSync, readFileSync } from "node:fs";
import { KexecError } from "../../../src/errors.ts";
import { Memfd } from "../../../src/linux/memfd.ts";

/** A file that the kernel cannot splice: proc_pid_cmdline_ops of fs/proc/base.c has read alone. */
const unspliceable = "/proc/self/cmdline";

test("a file that cannot be copied by the kernel is copied all the same", () => {
  const content = new Uint8Array(readFileSync(unspliceable));
  const fd = openSync(unspliceable, "r");
  using memfd = Memfd.create("copy");
  memfd.append(new Uint8Array([1, 2]));
  const heard: number[] = [];
  memfd.appendFile({ fd, path: unspliceable }, 3, content.length - 3, (bytes) => heard.push(bytes));
  expect(memfd.read(2, memfd.size - 2)).toEqual(content.subarray(3));
  expect(heard).toEqual([content.length - 3]);
  memfd.append(new Uint8Array([9]));
  expect(memfd.read(memfd.size - 1, 1)).toEqual(new Uint8Array([9]));

  const copyTooMuch = () => memfd.appendFile({ fd, path: unspliceable }, 0, content.length + 1);
  expect(copyTooMuch).toThrow(KexecError);
  expect(copyTooMuch).toThrow("became shorter");
  closeSync(fd);
});

test("a sealed one cannot be changed", () => {
  using memfd = Memfd.create("sealed");
  memfd.append(new Uint8Array([1, 2, 3]));
  memfd.seal();
  expect(() => memfd.append(new Uint8Array([4]))).toThrow(KexecError);
  expect(() => memfd.shorten(1)).toThrow(KexecError);
  expect(() => memfd.appendZeros(1)).toThrow(KexecError);
  expect(memfd.read(0, 3)).toEqual(new Uint8Array([1, 2, 3]));
  expect(() => memfd.secretWindow(0, 3)).toThrow(KexecError);
  using window = memfd.window(0, 3);
  expect([...window.bytes]).toEqual([1, 2, 3]);
});

/** The flags of each mapping of the memfd, as /proc/self/smaps abbreviates them. */
function flagsOf(name: string): string[][] {
  const blocks = readFileSync("/proc/self/smaps", "utf8").split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m);
  return blocks
    .filter((block) => block.split("\n")[0]?.includes(`memfd:${name}`))
    .map((block) => /^VmFlags: (.*)$/m.exec(block)?.[1]?.trim().split(" ") ?? []);
}

test("the window for a secret is locked, not dumped, not inherited, and outlives the seal", () => {
  const name = "window-of-a-test";
  const memfd = Memfd.create(name);
  memfd.appendZeros(200_000);
  {
    using window = memfd.secretWindow(100_000, 11);
    // Documentation/filesystems/proc.rst: lo locked, dd do not dump, dc do not copy on fork
    const [flags = []] = flagsOf(name);
    for (const flag of ["lo", "dd", "dc"]) expect(flags).toContain(flag);
    window.bytes.set(new TextEncoder().encode("open sesame"));
    // Whoever could still write by a mapping would change what was verified.
    expect(() => memfd.seal()).toThrow("cannot seal a file in memory");
    memfd.sealAroundSecrets();
    expect(new TextDecoder().decode(memfd.read(100_000, 11))).toBe("open sesame");
    window.bytes.fill(0);
    expect(memfd.read(99_990, 31).every((byte) => byte === 0)).toBe(true);
  }
  expect(flagsOf(name)).toEqual([]);
  memfd[Symbol.dispose]();
});
