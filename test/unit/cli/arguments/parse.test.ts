import { describe, expect, test } from "bun:test";
import { options, positionals } from "../../../../src/cli/arguments/options.ts";
import {
  beforeEndOfOptions,
  looksLikeOption,
  parse,
  quoted,
} from "../../../../src/cli/arguments/parse.ts";
import { KexecError } from "../../../../src/errors.ts";
import { random } from "../../initramfs/samples.ts";

const definitions = {
  source: positionals.described,
  initrd: options.initrd,
  cmdline: options.cmdline,
  append: options.append,
  lock: options.lock,
  "min-generation": options["min-generation"],
  help: options.help,
};

function parsed(...argv: readonly string[]): Record<string, readonly string[]> {
  return Object.fromEntries(parse("load", definitions, argv));
}

function refused(...argv: readonly string[]): string {
  try {
    parse("load", definitions, argv);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.code).toBe("usage");
    expect(error.hint).toBeDefined();
    return error.message;
  }
  throw new Error(`not refused: ${argv.join(" ")}`);
}

describe("values", () => {
  test("by the next word and by =", () => {
    const expected = { source: ["k"], cmdline: ["a=b"] };
    expect(parsed("k", "--cmdline", "a=b")).toEqual(expected);
    expect(parsed("--cmdline=a=b", "k")).toEqual(expected);
  });

  test("an alias stands for its option", () => {
    expect(parsed("k", "--command-line", "a")).toEqual({ source: ["k"], cmdline: ["a"] });
  });

  test("a repeatable option keeps all of them in order", () => {
    expect(parsed("--initrd", "a", "k", "--initrd=b", "--initrd", "a")["initrd"]).toEqual([
      "a",
      "b",
      "a",
    ]);
  });

  test("a flag has none", () => {
    expect(parsed("k", "--lock")).toEqual({ source: ["k"], lock: [] });
  });

  test("a free text may be empty; left out is another thing", () => {
    expect(parsed("k", "--cmdline=")["cmdline"]).toEqual([""]);
    expect(parsed("k", "--cmdline", "")["cmdline"]).toEqual([""]);
    expect(parsed("k")["cmdline"]).toBeUndefined();
  });

  test("one that looks like an option is taken by = only", () => {
    expect(parsed("k", "--append=--lock")).toEqual({ source: ["k"], append: ["--lock"] });
    expect(refused("k", "--append", "--lock")).toBe("cannot run load: --append has no value");
    expect(refused("k", "--append", "-x")).toBe("cannot run load: --append has no value");
  });

  test("a dash alone, in front of a colon or with a blank does not look like an option", () => {
    expect(parse("load", { secret: options.secret }, ["--secret", "-:/key"]).get("secret")).toEqual(
      ["-:/key"],
    );
    expect(parsed("k", "--initrd", "-")["initrd"]).toEqual(["-"]);
    expect(parsed("k", "--append", "-- single")["append"]).toEqual(["-- single"]);
  });

  test.each(["0", "42", "999999999999999"])("the number %s", (number) => {
    expect(parsed("k", "--min-generation", number)["min-generation"]).toEqual([number]);
  });

  test.each(["x", "4x", "1.5", "1e3", "0x10", "007", " 1", "1000000000000000", "٣"])(
    "no number: %p",
    (number) => {
      expect(refused("k", `--min-generation=${number}`)).toContain("is not a whole number");
    },
  );
});

describe("positional arguments", () => {
  test("a dash is one, and so is everything behind --", () => {
    expect(parsed("-")).toEqual({ source: ["-"] });
    expect(parsed("--lock", "--", "--lock")).toEqual({ lock: [], source: ["--lock"] });
    expect(parsed("--", "--")).toEqual({ source: ["--"] });
  });

  test("missing, empty, one too many", () => {
    expect(refused()).toBe("cannot run load: SOURCE is missing");
    expect(refused("--")).toBe("cannot run load: SOURCE is missing");
    expect(refused("")).toBe("cannot run load: SOURCE is empty");
    expect(refused("a", "b")).toBe('cannot run load: unexpected argument "b"');
  });

  test("with --help they may be missing", () => {
    expect(parsed("--help")).toEqual({ help: [] });
    expect(parsed("-h", "a", "b")).toEqual({ help: [] });
  });
});

describe("refused", () => {
  test.each([
    [["k", "--nope"], "unknown option --nope"],
    [["k", "-l"], "unknown option -l"],
    [["k", "---lock"], "unknown option ---lock"],
    [["k", "--=x"], "unknown option --"],
    [["k", "-hh"], "unknown option -hh"],
    [["k", "--dry-run"], "it does not take --dry-run, which belongs to another command"],
    [["k", "--lock", "--lock"], "--lock is given twice"],
    [["k", "--append=a", "--append=b"], "--append is given twice"],
    [["k", "--cmdline=a", "--command-line=b"], "--cmdline is given twice"],
    [["k", "--lock="], "--lock takes no value"],
    [["k", "--lock=true"], "--lock takes no value"],
    [["k", "--initrd"], "--initrd has no value"],
    [["k", "--initrd", ""], "--initrd has an empty value"],
    [["k", "--initrd="], "--initrd has an empty value"],
  ] as const)("%j", (argv, why) => {
    expect(refused(...argv)).toBe(`cannot run load: ${why}`);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"])(
    "a name that every object has: %s",
    (name) => {
      expect(refused("k", `--${name}`)).toBe(`cannot run load: unknown option --${name}`);
      expect(refused("k", `--${name}=x`)).toBe(`cannot run load: unknown option --${name}`);
    },
  );
});

test("whatever is given, it is parsed in full or refused", () => {
  const words = [
    ..."k a -- - --lock --lock=1 --initrd --initrd=x --initrd= --cmdline --append=".split(" "),
    ..."--append=--lock -h --nope --__proto__ = --= --min-generation 7".split(" "),
    "",
    "two words",
    "-- x",
  ];
  const next = random(20_260_101);
  let accepted = 0;
  for (let round = 0; round < 5000; round++) {
    const argv = Array.from({ length: next(6) }, () => words[next(words.length)] ?? "");
    try {
      const values = parse("load", definitions, argv);
      if (values.has("help")) continue;
      accepted++;
      // Nothing was dropped: each word is a value, or an option that is there with its value.
      const found = [...values.values()].flat();
      for (const word of argv) {
        const [spelt = "", ...rest] = word.split("=");
        const name = /^--/.test(spelt) ? spelt.slice(2) : "";
        const there =
          found.includes(word) ||
          word === "--" ||
          (values.has(name) && (rest.length === 0 || found.includes(rest.join("="))));
        if (!there) throw new Error(`${word} was dropped from ${JSON.stringify(argv)}`);
      }
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      expect(error.exit).toBe(2);
    }
  }
  expect(accepted).toBeGreaterThan(100);
});

test("beforeEndOfOptions", () => {
  expect(beforeEndOfOptions(["a", "--json", "--", "--quiet"])).toEqual(["a", "--json"]);
  expect(beforeEndOfOptions(["a"])).toEqual(["a"]);
});

test.each([
  ["--lock", true],
  ["-x", true],
  ["--", true],
  ["-", false],
  ["", false],
  ["a-b", false],
  ["-a b", false],
  ["-1", false],
  ["-:/run/key", false],
  ["-a\nb", false],
])("looksLikeOption(%p) is %p", (word, expected) => {
  expect(looksLikeOption(word)).toBe(expected);
});

test("a quoted word is at most 60 characters", () => {
  expect(quoted("x".repeat(60))).toBe("x".repeat(60));
  expect(quoted("x".repeat(61))).toBe(`${"x".repeat(57)}...`);
});
