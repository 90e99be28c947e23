import { expect, test } from "bun:test";
import { keyMemory, withKeyRoom } from "../../../src/machine/crash.ts";
import { type CmdlineLimit, longestCmdline } from "../../../src/source/cmdline.ts";

test("keys take whole pages", () => {
  expect([0, 1, 10, 11, 128].map(keyMemory)).toEqual([0, 4096, 4096, 8192, 53_248]);
});

test("what the kernel wants for its word on keys is not there for others", () => {
  const limit: CmdlineLimit = { architecture: "x86_64", cmdlineSize: 2047 };
  expect(longestCmdline(limit)).toBe(2016);
  expect(longestCmdline({ ...limit, reserved: 31 })).toBe(1985);
  // This machine has no such keys.
  expect(withKeyRoom(limit)).toEqual({ ...limit, reserved: 0 });
});
