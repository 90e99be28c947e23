import { describe, expect, test } from "bun:test";
import { getopt, type Spelling } from "../../../../src/cli/kexec/getopt.ts";
import { seeded } from "../../fuzz.ts";

const spellings: readonly Spelling<string>[] = [
  { name: "l", id: "load", takesValue: false },
  { name: "load", id: "load", takesValue: false },
  { name: "load-panic", id: "panic", takesValue: false },
  { name: "e", id: "exec", takesValue: false },
  { name: "t", id: "type", takesValue: true },
  { name: "type", id: "type", takesValue: true },
  { name: "reuse-cmdline", id: "reuse", takesValue: false },
  { name: "reuseinitrd", id: "reuseinitrd", takesValue: false },
  { name: "command-line", id: "append", takesValue: true },
  { name: "commands", id: "append", takesValue: true },
  { name: "tail", id: "tail", takesValue: false, wholeOnly: true },
];

const read = (...argv: string[]) => {
  const { options, operands, problem } = getopt(spellings, argv);
  return {
    options: options.map(({ id, value }) => (value === undefined ? id : `${id}=${value}`)),
    operands,
    problem,
  };
};

describe("words", () => {
  const good: [string[], string[], string[]][] = [
    [[], [], []],
    [["-l", "K"], ["load"], ["K"]],
    [["K", "-l"], ["load"], ["K"]],
    [["-le"], ["load", "exec"], []],
    [["-let", "T", "K"], ["load", "exec", "type=T"], ["K"]],
    [["-tT"], ["type=T"], []],
    [["-tle"], ["type=le"], []],
    [["-t", "-l"], ["type=-l"], []],
    [["-t", "--"], ["type=--"], []],
    [["-t", ""], ["type="], []],
    [["--type=T"], ["type=T"], []],
    [["--type="], ["type="], []],
    [["--type", "T"], ["type=T"], []],
    [["--type", "--load"], ["type=--load"], []],
    [["--ty=a=b"], ["type=a=b"], []],
    // "tail" is not there for a beginning
    [["--t", "x"], ["type=x"], []],
    [["--tail"], ["tail"], []],
    // "load" is a whole name, though also a beginning
    [["--load"], ["load"], []],
    [["--load-"], ["panic"], []],
    [["--reuse-"], ["reuse"], []],
    // two names of one option
    [["--comm=x"], ["append=x"], []],
    [["-l", "--", "-e", "--load"], ["load"], ["-e", "--load"]],
    [["a", "--", "b", "--"], [], ["a", "b", "--"]],
    [["-", "-l"], ["load"], ["-"]],
    [["", "-l"], ["load"], [""]],
  ];
  for (const [argv, options, operands] of good) {
    test(JSON.stringify(argv), () => {
      expect(read(...argv)).toEqual({ options, operands, problem: undefined });
    });
  }
});

describe("getopt's words for what is wrong", () => {
  const bad: [string[], string][] = [
    [["--foo"], "unrecognized option '--foo'"],
    [["--foo=bar"], "unrecognized option '--foo=bar'"],
    [["--lord"], "unrecognized option '--lord'"],
    [["--tai"], "unrecognized option '--tai'"],
    [
      ["--reuse"],
      "option '--reuse' is ambiguous; possibilities: '--reuse-cmdline' '--reuseinitrd'",
    ],
    [["--lo=1"], "option '--lo=1' is ambiguous; possibilities: '--load' '--load-panic'"],
    [["--load=1"], "option '--load' doesn't allow an argument"],
    [["--load-p="], "option '--load-panic' doesn't allow an argument"],
    [["--type"], "option '--type' requires an argument"],
    [["--ty"], "option '--type' requires an argument"],
    [["-x"], "invalid option -- 'x'"],
    [["-lx"], "invalid option -- 'x'"],
    [["-l=1"], "invalid option -- '='"],
    [["-t"], "option requires an argument -- 't'"],
    [["-let"], "option requires an argument -- 't'"],
    [["-l-"], "invalid option -- '-'"],
  ];
  for (const [argv, problem] of bad) {
    test(JSON.stringify(argv), () => {
      expect(read(...argv).problem).toBe(problem);
    });
  }

  test("what came before it is kept, what follows is not read", () => {
    expect(read("-l", "--foo", "-e")).toEqual({
      options: ["load"],
      operands: [],
      problem: "unrecognized option '--foo'",
    });
  });
});

test("any words are read, and no option is made up", () => {
  const rng = seeded(7);
  const pieces = [
    "-",
    "--",
    "l",
    "e",
    "t",
    "load",
    "type",
    "=",
    "x",
    "reuse",
    "",
    "é",
    "__proto__",
  ];
  const pick = () => rng.pick(pieces);
  for (let round = 0; round < 5000; round += 1) {
    const argv = Array.from({ length: rng.below(5) }, () => pick() + pick() + pick());
    const { options, operands, problem } = getopt(spellings, argv);
    const known = new Set(spellings.map(({ id }) => id));
    expect(options.every(({ id }) => known.has(id))).toBe(true);
    expect(operands.every((word) => argv.includes(word))).toBe(true);
    expect(problem === undefined || problem.length > 0).toBe(true);
  }
});
