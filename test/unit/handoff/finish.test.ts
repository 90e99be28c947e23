/** What is written on the disk where the kernel does not take what was opened. */
import { expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { countRefusal } from "../../../src/handoff/stages/finish.ts";

test("a generation that the kernel does not take loses a try, whatever else stands behind it does not happen", () => {
  const made: string[] = [];
  const one = (what: string, counts?: true) => ({
    what,
    ...(counts === undefined ? {} : { counts }),
    make: () => void made.push(what),
  });
  const afterwards = [one("count down 7+3", true), one("delete LoaderEntryOneShot")];
  const counted = (error: unknown) => {
    made.length = 0;
    expect(countRefusal({ afterwards }, error, {})).toBe(error);
    return [...made];
  };
  for (const code of ["not-a-kernel", "kernel-unsigned", "out-of-memory"] as const) {
    expect([code, counted(new KexecError(code, { message: "x" }))]).toEqual([
      code,
      ["count down 7+3"],
    ]);
  }
  // What is wrong with the machine, the command line or the policy is no fault of the generation.
  for (const code of ["usage", "lockdown", "policy-refused", "busy", "file-not-found"] as const) {
    expect([code, counted(new KexecError(code, { message: "x" }))]).toEqual([code, []]);
  }
  expect(counted(new TypeError("a bug"))).toEqual([]);
});
