import { describe, expect, test } from "bun:test";
import { allowEntryProblem, appendProblems, narrowAllowed } from "../../../src/trust/append.ts";

describe("appendProblems", () => {
  const allowed = ["console=", "quiet", "loglevel=7"];
  const problems = (appended: string, signed = "root=/dev/vda") =>
    appendProblems(appended, allowed, signed);

  test.each([
    "",
    "   ",
    "console=ttyS0",
    "console=ttyS0,115200n8  console=tty0 quiet loglevel=7",
    "console=",
  ])("lets through %j", (appended) => expect(problems(appended)).toEqual([]));

  test.each([
    ["init=/bin/sh", ["init=/bin/sh is not let through"]],
    ["console", ["console is not let through"]],
    ["Console=x", ["Console=x is not let through"]],
    ["xconsole=ttyS0", ["xconsole=ttyS0 is not let through"]],
    ["quiet2 quiet=1", ["quiet2 is not let through", "quiet=1 is not let through"]],
    ["loglevel=70", ["loglevel=70 is not let through"]],
    ["console=a init=/bin/sh", ["init=/bin/sh is not let through"]],
    ["quiet --", ["-- ends the kernel's own parameters"]],
    ["-- single", ["-- ends the kernel's own parameters", "single is not let through"]],
    ['console="x init=/bin/sh"', ["a quote or backslash"]],
    ['"console=x y"', ["a quote or backslash"]],
    ['console="', ["a quote or backslash"]],
    ['"--"', ["a quote or backslash"]],
    ["console='x init=/bin/sh'", ["a quote or backslash"]],
    ["console=x\\ init=/bin/sh", ["a quote or backslash"]],
    ["console=x\ninit=/bin/sh", ["a character other than printable ASCII"]],
    ["console=x\tinit=/bin/sh", ["a character other than printable ASCII"]],
    ["console=x\u0000", ["a character other than printable ASCII"]],
    ["console=x\u00a0init=/bin/sh", ["a character other than printable ASCII"]],
    ["console=àinit=/bin/sh", ["a character other than printable ASCII"]],
    ["console=x\u2028init=/bin/sh", ["a character other than printable ASCII"]],
    ["quiet\n", ["a character other than printable ASCII"]],
  ] as const)("refuses %j", (appended, expected) => {
    expect(problems(appended)).toEqual([...expected]);
  });

  test("nothing is let through where nothing is allowed", () => {
    expect(appendProblems("quiet", [], "")).toEqual(["quiet is not let through"]);
    expect(appendProblems("", [], "")).toEqual([]);
  });

  test("the signed line must not swallow the words", () => {
    for (const line of ["a='b", "a='b\"c'd\"", "x 'y z", "a=\\'b '", "it's"]) {
      expect(appendProblems("quiet", ["quiet"], line)).toEqual([
        "the signed command line ends inside a quoted value",
      ]);
    }
    expect(appendProblems("quiet", ["quiet"], "a=b\\")).toEqual([
      "the signed command line ends in a backslash",
    ]);
    expect(appendProblems("quiet", ["quiet"], "a='b c' d=\"e f\"")).toEqual([]);
    const open = "the signed command line ends inside a quoted value";
    expect(problems("quiet", 'root=x note="a b')).toEqual([open]);
    expect(problems("quiet", 'root=x "--')).toEqual([open]);
    expect(problems("quiet", 'root=x note="a -- b" c=-- --d')).toEqual([]);
    // The words go before what is init's.
    expect(problems("quiet", "root=x -- 3")).toEqual([]);
    expect(problems("quiet", 'root=x "--" 3')).toEqual([]);
    expect(problems("", 'root=x -- "')).toEqual([]);
  });
});

test("allowAppend entries", () => {
  for (const entry of ["console=", "quiet", "a=b", "module.option=", "-x"]) {
    expect(allowEntryProblem(entry)).toBeUndefined();
  }
  expect(allowEntryProblem("")).toBe("must not be empty");
  expect(allowEntryProblem("=")).toBe("must begin with the name of a parameter");
  expect(allowEntryProblem("--")).toBe("must not be --");
  for (const entry of ["a b", "a\n", "é="]) {
    expect(allowEntryProblem(entry)).toBe("must be one word of printable ASCII");
  }
  for (const entry of ['a="', "'", "a\\"]) {
    expect(allowEntryProblem(entry)).toBe("must not have quotes or backslashes");
  }
});

test("narrowAllowed: what every list lets through", () => {
  expect(narrowAllowed([])).toEqual([]);
  expect(narrowAllowed([["a=", "b"]])).toEqual(["a=", "b"]);
  expect(narrowAllowed([["a=", "b"], []])).toEqual([]);
  expect(
    narrowAllowed([
      ["a=", "b", "c=1"],
      ["a=1", "b", "c="],
    ]),
  ).toEqual(["b", "c=1", "a=1"]);
  expect(narrowAllowed([["a="], ["a="], ["a=x", "b"]])).toEqual(["a=x"]);
});
