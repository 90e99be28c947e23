import { expect, test } from "bun:test";
import { Arguments } from "../../../../src/cli/arguments/arguments.ts";

const given = new Arguments<"lock", "cmdline", "initrd", "source">(
  new Map([
    ["lock", []],
    ["cmdline", [""]],
    ["initrd", ["a", "b"]],
  ]),
);
const none = new Arguments<"lock", "cmdline", "initrd", "source">(new Map());

test("what was given, and what was not", () => {
  expect([given.flag("lock"), none.flag("lock")]).toEqual([true, false]);
  expect([given.text("cmdline"), none.text("cmdline")]).toEqual(["", undefined]);
  expect([given.list("initrd"), none.list("initrd")]).toEqual([["a", "b"], []]);
});

test("a required argument that the parser let through missing is a bug", () => {
  expect(() => none.positional("source")).toThrow(TypeError);
});
