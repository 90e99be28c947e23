import { describe, expect, test } from "bun:test";
import { globMatches } from "../../../src/menu/glob.ts";
import {
  chooseByLoader,
  type LoaderVariables,
  readLoaderConf,
} from "../../../src/menu/loader-conf.ts";
import { processorTime } from "../fuzz.ts";

const entry = (id: string, triesLeft?: number) => ({ id, triesLeft });
const entries = [entry("arch-6.9.conf"), entry("arch-6.8.conf"), entry("Rescue.conf", 0)];

function chosen(conf: string, variables: LoaderVariables = {}): string {
  const { index, why } = chooseByLoader(entries, readLoaderConf(conf), variables);
  return `${index === undefined ? "first" : entries[index]?.id}: ${why}`;
}

test("keys, quotation marks, comments, Windows line ends; the last line of a key counts", () => {
  const text =
    '# default no\r\ntimeout 5\r\ndefault a*\r\ndefault\t "Arch-*.conf" \r\neditor no\r\n';
  expect(readLoaderConf(text)).toEqual({
    default: "arch-*.conf",
    preferred: undefined,
    timeout: 5,
  });
  expect(readLoaderConf("timeout menu-force\n#timeout 3\ndefault\n")).toEqual({
    default: undefined,
    preferred: undefined,
    timeout: undefined,
  });
});

test.each([
  ['"a b"', "a b"],
  ["'a b'", "a b"],
  ["\"a b'", "\"a b'"],
  ['"a" "b"', 'a" "b'],
  ['"', undefined],
  ['""', undefined],
  ["\u00a0a\u00a0", "\u00a0a\u00a0"],
])("a value %p is %p", (value, read) => {
  expect(readLoaderConf(`timeout 1\rdefault ${value}\t\r\n`).default).toBe(read);
});

describe("the entry that is taken", () => {
  test("is the first where nothing is said, or nothing matches", () => {
    expect(chosen("timeout 3")).toBe("first: undefined");
    expect(chosen("default windows*")).toBe("first: undefined");
    expect(
      chooseByLoader(entries, readLoaderConf("default windows*"), { oneShot: "gone" }).missed,
    ).toEqual(["LoaderEntryOneShot (gone)", "default in loader.conf (windows*)"]);
  });

  test("matches a pattern, in any case, with and without the suffix", () => {
    expect(chosen("default arch-6.8.conf")).toBe("arch-6.8.conf: default in loader.conf");
    expect(chosen("default arch-*")).toBe("arch-6.9.conf: default in loader.conf");
    expect(chosen("default *[78].conf")).toBe("arch-6.8.conf: default in loader.conf");
    expect(chosen("default rescue")).toBe("Rescue.conf: default in loader.conf");
  });

  test("is the one-shot, then the preferred, then the default; variables before the file", () => {
    const all = { oneShot: "rescue.conf", preferred: "arch-6.8.conf", default: "arch-6.9.conf" };
    expect(chosen("", all)).toBe("Rescue.conf: LoaderEntryOneShot");
    expect(chosen("", { ...all, oneShot: undefined })).toBe("arch-6.8.conf: LoaderEntryPreferred");
    expect(chosen("preferred arch-6.8*", { default: "arch-6.9.conf" })).toBe(
      "arch-6.8.conf: preferred in loader.conf",
    );
    expect(chosen("default arch-6.8*", { default: "arch-6.9.conf" })).toBe(
      "arch-6.9.conf: LoaderEntryDefault",
    );
  });

  test("is not a preferred one without tries left; a default one is", () => {
    expect(chosen("preferred rescue.conf\ndefault arch-6.8*")).toBe(
      "arch-6.8.conf: default in loader.conf",
    );
    expect(chosen("default rescue.conf")).toBe("Rescue.conf: default in loader.conf");
  });

  test("is the one booted last where the default is @saved", () => {
    expect(chosen("default @saved", { lastBooted: "arch-6.8.conf" })).toBe(
      "arch-6.8.conf: LoaderEntryLastBooted (default in loader.conf is @saved)",
    );
    expect(chosen("default @saved")).toBe("first: undefined");
  });

  test("a one-shot of the loader's own is left alone", () => {
    const choice = chooseByLoader(entries, readLoaderConf("default arch-6.8*"), {
      oneShot: "auto-reboot-to-firmware-setup",
    });
    expect(choice).toEqual({
      index: 1,
      why: "default in loader.conf",
      takesOneShot: false,
      missed: [],
    });
    expect(chooseByLoader(entries, readLoaderConf(""), { oneShot: "RESCUE.conf" })).toMatchObject({
      index: 2,
      takesOneShot: true,
    });
  });
});

test("patterns are those of fnmatch(3)", () => {
  const matches: readonly (readonly [string, string, boolean])[] = [
    ["*", "", true],
    ["a*c", "abbc", true],
    ["a*c", "abbd", false],
    ["a?c", "ac", false],
    ["[a-c]x", "bx", true],
    ["[!a-c]x", "bx", false],
    ["[]x]", "]", true],
    ["[a", "[a", false],
    ["\\*", "*", true],
    ["\\", "\\", false],
  ];
  for (const [pattern, text, result] of matches) {
    expect([pattern, text, globMatches(pattern, text)]).toEqual([pattern, text, result]);
  }
});

test("a pattern of many stars takes no more time than pattern times text", () => {
  expect(globMatches("*a".repeat(500), "b".repeat(20_000))).toBe(false);
});

test.each(["*a", "[a]*", `[${"ab".repeat(100)}]*`, "?"])(
  "the pattern %p many times over takes no time, however many entries there are",
  (piece) => {
    const before = processorTime();
    const many = Array.from({ length: 1000 }, (_, n) => entry(`${"a".repeat(200)}${n}.conf`));
    for (const length of [1000, 60_000]) {
      const pattern = `${piece.repeat(Math.floor(length / piece.length))}z`;
      const { index, missed } = chooseByLoader(many, readLoaderConf(`default ${pattern}`), {});
      expect(index).toBeUndefined();
      const named = length === 1000 ? pattern : "a pattern of more than 1024 characters";
      expect(missed).toEqual([`default in loader.conf (${named})`]);
    }
    expect(processorTime() - before).toBeLessThan(2500);
  },
);
