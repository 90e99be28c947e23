import { describe, expect, test } from "bun:test";
import { nearest } from "../../../../src/cli/arguments/nearest.ts";
import { editDistance } from "../../../../src/edit-distance.ts";

describe("editDistance", () => {
  test.each([
    ["", "", 0],
    ["", "abc", 3],
    ["abc", "", 3],
    ["initrd", "initrd", 0],
    ["inird", "initrd", 1],
    ["initrdd", "initrd", 1],
    ["inotrd", "initrd", 1],
    ["intird", "initrd", 1],
    ["kitten", "sitting", 3],
    ["ca", "abc", 3],
  ])("%p to %p is %d", (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
    expect(editDistance(b, a)).toBe(distance);
  });
});

describe("nearest", () => {
  const options = ["--initrd", "--cmdline", "--append", "--lock", "--help", "-h", "--json"];
  test.each([
    ["--inird", "--initrd"],
    ["--comdline", "--cmdline"],
    ["--JSON", "--json"],
    ["-json", "--json"],
    ["--app", "--append"],
    ["--lcok", "--lock"],
  ])("%s means %s", (word, meant) => {
    expect(nearest(word, options)).toBe(meant);
  });

  test.each(["", "--", "-x", "--frobnicate", "__proto__", "--toString", "-".repeat(5)])(
    "%p is near to none",
    (word) => {
      expect(nearest(word, options)).toBeUndefined();
    },
  );

  test("a beginning of two is near to none", () => {
    expect(nearest("--re", ["--reuse", "--remove"])).toBeUndefined();
  });

  test("a very long word costs nothing", () => {
    const start = performance.now();
    expect(nearest("x".repeat(1_000_000), options)).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
