import { expect, test } from "bun:test";
import { KexecError } from "../../src/errors.ts";
import { asKexecError, withoutSuppressed } from "../../src/thrown.ts";

test("a KexecError is told as it is", () => {
  const error = new KexecError("busy", { message: "cannot load: busy" });
  expect(asKexecError(error)).toBe(error);
});

test("anything else is a bug, and says what it was", () => {
  for (const thrown of [new TypeError("no function"), "text", undefined, null, 7]) {
    const error = asKexecError(thrown);
    expect(error.code).toBe("internal-error");
    expect(error.exit).toBe(1);
    expect(error.hint).toContain("bug");
    expect(error.cause).toBe(thrown);
  }
  expect(asKexecError(new TypeError("no function")).message).toBe(
    "internal error: TypeError: no function",
  );
});

test("memory that ran out is not a bug", () => {
  expect(asKexecError(new RangeError("Out of memory")).exit).toBe(9);
  expect(asKexecError(new RangeError("Array buffer allocation failed")).exit).toBe(9);
  expect(asKexecError(new RangeError("Invalid count value: -1")).exit).toBe(1);
});

test("an error of cleaning up stands behind the first one, and says what to do", () => {
  const first = new KexecError("busy", {
    message: "cannot load: busy",
    errno: "EBUSY",
    hint: "wait",
  });
  const second = new KexecError("io-error", {
    message: "it stays",
    errno: "EPERM",
    hint: "reboot",
  });
  const work = () => {
    using stack = new DisposableStack();
    stack.defer(() => {
      throw second;
    });
    throw first;
  };
  expect(work).toThrow(SuppressedError);
  try {
    work();
  } catch (thrown) {
    expect(withoutSuppressed(thrown)).toMatchObject({
      code: "busy",
      errno: "EBUSY",
      message: "cannot load: busy; it stays",
      hint: "reboot",
      cause: first,
    });
  }
  expect(withoutSuppressed(first)).toBe(first);
});
