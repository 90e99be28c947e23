import { describe, expect, test } from "bun:test";
import { parseCanonical, parseJson } from "../../../src/trust/json.ts";
import { mutate, processorTime, type Rng, seeded } from "../fuzz.ts";
import { bytesOf } from "./signer.ts";

const parse = (text: string) => parseJson(bytesOf(text), 65536);

describe("read", () => {
  test.each([
    "null",
    "true",
    " [ ] ",
    '{"a":[1,{"b":-2}],"c":"","\\u0064":"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00é"}',
    "[0,-1,9007199254740993,false,null]",
    "\t{\r\n}\n",
  ])("%s", (text) => {
    const { value, problems } = parse(text);
    expect(problems).toEqual([]);
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
  });

  test("__proto__ is a key like any other, and no key is there by inheritance", () => {
    const { value } = parse('{"__proto__":{"x":1}}');
    expect(Object.keys(value ?? {})).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(value)).toBeNull();
  });
});

describe("duplicate keys", () => {
  test.each([
    ['{"a":1,"a":1}', "a: duplicate key"],
    ['{"a":1,"\\u0061":2}', "a: duplicate key"],
    ['{"k":[{},{"p":1,"p":2}]}', "k[1].p: duplicate key"],
    ['{"__proto__":1,"__proto__":2}', "__proto__: duplicate key"],
    ['{"a b":1,"a b":2}', '"a b": duplicate key'],
    ['{"\\u001b\\u009b":1,"\\u001b\\u009b":2}', '"\\u001b?": duplicate key'],
  ])("%s", (text, problem) => expect(parse(text).problems).toEqual([problem]));

  test("each is named, up to 32", () => {
    expect(parse('{"a":1,"b":1,"b":2,"a":2}').problems).toEqual([
      "b: duplicate key",
      "a: duplicate key",
    ]);
    const many = `{${Array.from({ length: 100 }, () => '"a":1').join(",")}}`;
    expect(parse(many).problems.length).toBe(32);
  });
});

describe("refused", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  test.each([
    ["", "not JSON: line 1: it ends too early"],
    ["\n\n", "not JSON: line 3: it ends too early"],
    ["{}x", "not JSON: line 1: text after the end"],
    ["{} {}", "not JSON: line 1: text after the end"],
    ["[1,]", "not JSON: line 1: expected a value"],
    ['{"a":1,}', "not JSON: line 1: expected a key"],
    ["{a:1}", "not JSON: line 1: expected a key"],
    ['{"a" 1}', "not JSON: line 1: expected :"],
    ["[1 2]", "not JSON: line 1: expected ]"],
    ['{"a":1', "not JSON: line 1: it ends too early"],
    ['["a', "not JSON: line 1: it ends inside a string"],
    ['["a\\', "not JSON: line 1: an unknown escape in a string"],
    ['["\\x41"]', "not JSON: line 1: an unknown escape in a string"],
    ['["\\u12"]', "not JSON: line 1: an unknown escape in a string"],
    ['["a\nb"]', "not JSON: line 1: a control character in a string"],
    ['["\\ud800"]', "not JSON: line 1: half a surrogate pair in a string"],
    ['["\\ude00\\ud83d"]', "not JSON: line 1: half a surrogate pair in a string"],
    ["[1.0]", "not JSON: line 1: not a whole number"],
    ["[1e2]", "not JSON: line 1: not a whole number"],
    ["[-0]", "not JSON: line 1: expected a value"],
    ["[042]", "not JSON: line 1: expected ]"],
    ["[+1]", "not JSON: line 1: expected a value"],
    ["[NaN]", "not JSON: line 1: expected a value"],
    ["['a']", "not JSON: line 1: expected a value"],
    ["[1 /* one */]", "not JSON: line 1: expected ]"],
    ["[\u00a01]", "not JSON: line 1: expected a value"],
    [nested(9), "not JSON: line 1: nested deeper than 8"],
    [nested(30000), "not JSON: line 1: nested deeper than 8"],
    ["\ufeff{}", "starts with a byte order mark"],
    [" ".repeat(65537), "larger than 65536 bytes"],
  ])("%#: %s", (text, problem) => expect(parse(text).problems).toEqual([problem]));

  test("bytes that are not UTF-8", () => {
    for (const bad of ["22ff22", "22c080", "22eda080", "22f4908080"]) {
      const { value, problems } = parseJson(Uint8Array.fromHex(`${bad}22`), 65536);
      expect({ value, problems }).toEqual({ value: undefined, problems: ["not valid UTF-8"] });
    }
  });

  test("eight levels are read", () => expect(parse(nested(8)).problems).toEqual([]));
});

function randomJson(rng: Rng, depth: number): unknown {
  const kind = rng.below(depth > 5 ? 4 : 6);
  if (kind === 0) return rng.below(2 ** 31) - 2 ** 30;
  if (kind === 1) return rng.pick([true, false, null]);
  if (kind < 4) return String.fromCharCode(...rng.bytes(rng.below(9)));
  const items = Array.from({ length: rng.below(4) }, () => randomJson(rng, depth + 1));
  if (kind === 4) return items;
  return Object.fromEntries(items.map((item, index) => [`k${index}${rng.below(9)}"`, item]));
}

test("what is read is what JSON.parse reads, whole or mutated", () => {
  const rng = seeded(8259);
  let read = 0;
  for (let count = 0; count < 4000; count += 1) {
    const whole = bytesOf(JSON.stringify(randomJson(rng, 0), undefined, rng.below(3)));
    const bytes = count % 2 === 0 ? whole : mutate(whole, rng);
    const { value, problems } = parseJson(bytes, 65536);
    if (count % 2 === 0) expect(problems).toEqual([]);
    if (problems.length > 0) continue;
    read += 1;
    expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(new TextDecoder().decode(bytes))));
  }
  expect(read).toBeGreaterThan(2000);
});

describe("the canonical text", () => {
  const canonical = (text: string) => parseCanonical(bytesOf(text), 65536);
  const textOf = (value: unknown) => `${JSON.stringify(value, undefined, 2)}\n`;

  test.each([
    ['{\n  "a": 1,\n  "a": 1\n}\n', "a key twice"],
    ['{\n  "a": 1.0\n}\n', "a second spelling of a number"],
    ['{\n  "a": -0\n}\n', "a minus of nothing"],
    ['{\n  "a": 9007199254740993\n}\n', "a number that is no other's"],
    ['{\n  "b": "\\ud800"\n}\n', "half a surrogate pair"],
    ['{\n  "b": "\\u0061"\n}\n', "an escape for a letter"],
    ['{\n  "2": 0,\n  "1": 0\n}\n', "keys that the runtime puts in another order"],
    ['{"a": 1}\n', "other white space"],
    ['{\n  "a": 1\n}', "no line end"],
    ['\ufeff{\n  "a": 1\n}\n', "a byte order mark"],
    [`${"[".repeat(30_000)}${"]".repeat(30_000)}\n`, "depth"],
    [textOf("x".repeat(65536)), "more than there may be"],
  ])("%j is none: %s", (text) => {
    expect(canonical(text)).toBeUndefined();
  });

  test("depth costs nothing, in whatever spelling", () => {
    // Written anew with its indents each of these has a gigabyte and more
    const deep = (open: string, close: string) => open.repeat(16_000) + close.repeat(16_000);
    for (const text of [deep("[", "]"), deep("[\n", "]"), deep('{"":', "}").replace("}", "1}")]) {
      const begun = processorTime();
      expect(canonical(`{\n  "x": ${text}\n}\n`)).toBeUndefined();
      expect(parseJson(bytesOf(`{"x":${text}}`), 1 << 20).problems).not.toEqual([]);
      expect(processorTime() - begun).toBeLessThan(1000);
    }
  });

  test("a text with as many objects as there may be is read", () => {
    const initrds = (count: number) => Array.from({ length: count }, () => ({ path: "[{" }));
    expect(canonical(textOf(initrds(80)))).toEqual(initrds(80));
    expect(canonical(textOf(initrds(300)))).toBeUndefined();
  });

  test("what is read by it is what the strict reader reads", () => {
    const random = seeded(11);
    let read = 0;
    for (let round = 0; round < 3000; round++) {
      const value = {
        k: random.below(99),
        "é\n": ["\ud83d\ude00", { __p: [] }, random.below(9) - 4],
      };
      const bytes =
        round % 3 === 0 ? bytesOf(textOf(value)) : mutate(bytesOf(textOf(value)), random);
      const fast = parseCanonical(bytes, 65536);
      if (fast === undefined) continue;
      read += 1;
      const { value: strict, problems } = parseJson(bytes, 65536);
      if (problems.length > 0) expect(problems[0]).toContain("not a whole number");
      else expect(JSON.stringify(fast)).toBe(JSON.stringify(strict));
    }
    expect(read).toBeGreaterThan(900);
  });
});
