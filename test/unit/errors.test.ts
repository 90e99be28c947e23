import { expect, test } from "bun:test";
import { cannot } from "../../src/errors.ts";

test("a cause becomes an error of one form, with its exit code", () => {
  const cause = { code: "busy", why: "another operation is going on", hint: "wait" } as const;
  expect(cannot("load /vmlinuz", cause, { errno: "EBUSY", kernelLog: ["line"] }).toJSON()).toEqual({
    ...cannot("load /vmlinuz", cause).toJSON(),
    code: "busy",
    exit: 10,
    errno: "EBUSY",
    message: "cannot load /vmlinuz: another operation is going on",
    hint: "wait",
    kernelLog: ["line"],
  });
});

test("without a hint there is none, whichever way it was left out", () => {
  for (const hint of [{}, { hint: undefined }]) {
    const error = cannot("load", { code: "usage", why: "it is wrong", ...hint });
    expect(error.hint).toBeUndefined();
    expect(error.toJSON().hint).toBeNull();
  }
});
