import { expect, test } from "bun:test";
import { failureOf } from "../../../src/cli/failure.ts";
import { KexecError } from "../../../src/errors.ts";

test("a KexecError is told as it is", () => {
  const error = new KexecError("busy", { message: "cannot load: busy" });
  expect(failureOf(error)).toBe(error);
});

test("anything else is a bug, and says what it was", () => {
  for (const thrown of [new TypeError("no function"), "text", undefined, null, 7]) {
    const error = failureOf(thrown);
    expect(error.code).toBe("internal-error");
    expect(error.exit).toBe(1);
    expect(error.hint).toContain("bug");
    expect(error.cause).toBe(thrown);
  }
  expect(failureOf(new TypeError("no function")).message).toBe(
    "internal error: TypeError: no function",
  );
});

test("memory that ran out is not a bug", () => {
  expect(failureOf(new RangeError("Out of memory")).exit).toBe(9);
  expect(failureOf(new RangeError("Array buffer allocation failed")).exit).toBe(9);
  expect(failureOf(new RangeError("Invalid count value: -1")).exit).toBe(1);
});
