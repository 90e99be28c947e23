import { expect, test } from "bun:test";
import { cannot, hasCode } from "../../src/errors.ts";
import { openError } from "../../src/linux/path.ts";
import { noSuchEntry } from "../../src/source/choose.ts";

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
    expect(error.hint).toBeNull();
    expect(error.toJSON().hint).toBeNull();
  }
});

test("an error carries the data that its code has names for, and no other", () => {
  const cause = { code: "generation-too-low", why: "it is 3", details: { generation: 3 } } as const;
  const error = cannot("load", cause, { details: { path: "boot.json", minimum: undefined } });
  expect(error.details).toEqual({ generation: 3 });
  expect(error.action).toBe("choose-another");
  expect(hasCode(error, "generation-too-low") && error.details.generation).toBe(3);
  expect(hasCode(error, "usage")).toBe(false);
  expect(cannot("load", { code: "busy", why: "so" }).details).toEqual({});
});

test("in other words an error keeps its data; under another code it has that one's action", () => {
  const error = cannot("load", { code: "file-empty", why: "so", details: { path: "k" } });
  expect(error.with({ hint: "do this" }).toJSON()).toEqual({ ...error.toJSON(), hint: "do this" });
  expect(error.with({}, "bad-key").toJSON()).toMatchObject({
    code: "bad-key",
    exit: 5,
    action: "ask-operator",
    details: { path: "k" },
  });
});

test("what is missed in a menu, and what the kernel fails at, is data too", () => {
  const missed = noSuchEntry({ noun: "boot entry", path: "/boot" }, "b", [{ id: "a" }]);
  expect(missed.toJSON()).toMatchObject({
    code: "file-not-found",
    details: { path: "/boot", found: ["a"] },
  });
  const failed = openError("/mnt/vmlinuz", "kernel", 5);
  expect(failed.toJSON()).toMatchObject({
    code: "io-error",
    errno: "EIO",
    action: "check-device",
    details: { path: "/mnt/vmlinuz" },
  });
});
