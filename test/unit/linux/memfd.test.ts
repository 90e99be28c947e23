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
});
