/** POSIX extended regular expressions, as `regexp` of GRUB has them: IEEE Std 1003.1, 9.4. */
import { expect, test } from "bun:test";
import { matchExtended } from "../../../src/menu/regexp.ts";
import { processorTime, seeded } from "../fuzz.ts";

test.each([
  ["a(b|c)d", "xacd", ["acd", "c"]],
  ["(a*)(a*)", "aa", ["aa", "aa", ""]],
  ["^(.*)-([0-9]+)$", "k-5", ["k-5", "k", "5"]],
  ["(|a){2}b", "ab", ["ab", ""]],
  ["(a?){3}b", "aab", ["aab", ""]],
  ["(a|){2,3}", "aa", ["aa", "a"]],
  ["(){3}x", "x", ["x", ""]],
  ["()*x", "x", ["x", undefined]],
  ["a{2}", "a", null],
  // Blanks are those of the C locale.
  ["[[:space:]]+", "a\u00a0 \t", [" \t"]],
])("%p in %p", (pattern, text, groups) => {
  expect(matchExtended(pattern, text)).toEqual(groups);
});

test("repeats of what takes nothing cost no more than one", () => {
  let steps = 0;
  const match = matchExtended("((){255}){255}", "x", (taken) => {
    steps = taken;
  });
  expect(match).toEqual(["", "", ""]);
  expect(steps).toBeLessThan(50);
});

test.each([
  [`${"(".repeat(30)}a${")".repeat(30)}*`, "a".repeat(1024)],
  ["(((((a?)?)?)?){255}){255}", "a".repeat(1024)],
  ["(a*)*(a*)*b", "a".repeat(300)],
])("%p is given up before the stack or the patience ends", (pattern, text) => {
  let steps = 0;
  const before = processorTime();
  const match = matchExtended(pattern, text, (taken) => {
    steps = taken;
  });
  expect(match).toBeUndefined();
  expect(processorTime() - before).toBeLessThan(1500);
  expect(steps).toBeGreaterThan(4000);
  expect(steps).toBeLessThan(103_000);
});

test("none of them throws", () => {
  const random = seeded(5);
  const parts = ["(", ")", "a", "*", "+", "?", "{255}", "{0,3}", "|", "^", "$", "[ab]", ".", "()"];
  for (let round = 0; round < 1000; round += 1) {
    const pattern = Array.from({ length: 1 + random.below(12) }, () => random.pick(parts)).join("");
    expect(() => matchExtended(pattern, "ab".repeat(random.below(40)))).not.toThrow();
  }
});
