import { describe, expect, test } from "bun:test";
import { compareText, compareVersions } from "../../../src/menu/version-order.ts";
import { seeded } from "../fuzz.ts";

// From old to new; the rules of UAPI.10 and, for carets and tildes, of systemd.
const ordered = [
  "~",
  "~rc1",
  "",
  "B",
  "a",
  "ab",
  "b",
  "1~~",
  "1~rc1",
  "1~rc2",
  "1",
  "1-a",
  "1-2",
  "1-2.1",
  "1-10",
  "1^a",
  "1^2",
  "1.a",
  "1.a1",
  "1.1",
  "1.1.1",
  "1.10",
  "1a",
  "2",
  "6.1.0-9",
  "6.1.0-56",
  "6.12.117",
  "10",
  "123456789012345678901234567890",
  "123456789012345678901234567891",
];

describe("versions", () => {
  test("are in order, each with each", () => {
    for (const [i, older] of ordered.entries()) {
      expect(compareVersions(older, older)).toBe(0);
      for (const newer of ordered.slice(i + 1)) {
        expect([older, newer, Math.sign(compareVersions(older, newer))]).toEqual([
          older,
          newer,
          -1,
        ]);
        expect([newer, older, Math.sign(compareVersions(newer, older))]).toEqual([newer, older, 1]);
      }
    }
  });

  test.each([
    ["1_", "1"],
    ["_1", "1"],
    ["1+", "1"],
    ["+1", "1"],
    ["11α", "11β"],
    ["00123", "123"],
    ["1.0x", "1.00x"],
  ])("%p and %p are equal", (a, b) => {
    expect(compareVersions(a, b)).toBe(0);
    expect(compareVersions(b, a)).toBe(0);
  });

  // The separator ends the number: the rest no longer counts.
  test.each([
    ["1_2_3", "1.3.3"],
    ["1+2+3", "1.3.3"],
    ["123a", "123"],
    ["123.a", "123"],
    ["123a", "123.a"],
    ["0.", "0"],
    ["0.0", "0"],
    ["0", ""],
  ])("%p is newer than %p", (newer, older) => {
    expect(compareVersions(newer, older)).toBeGreaterThan(0);
  });

  test("any text has one place: the order is antisymmetric and transitive", () => {
    const rng = seeded(7);
    const alphabet = [..."01239aAbz~^.-_+ é"];
    const text = () => Array.from({ length: rng.below(8) }, () => rng.pick(alphabet)).join("");
    for (let round = 0; round < 2000; round++) {
      const [a, b, c] = [text(), text(), text()];
      const [ab, bc, ac] = [compareVersions(a, b), compareVersions(b, c), compareVersions(a, c)];
      expect(Math.sign(compareVersions(b, a)) + Math.sign(ab)).toBe(0);
      if (ab <= 0 && bc <= 0) expect([a, b, c, ac <= 0]).toEqual([a, b, c, true]);
    }
  });

  test("long ones take no longer than their length", () => {
    const start = performance.now();
    expect(compareVersions("0".repeat(65536), "0".repeat(65535))).toBe(0);
    expect(compareVersions("-".repeat(65536), "-".repeat(65535))).toBeGreaterThan(0);
    expect(compareVersions("a1".repeat(32768), "a1".repeat(32767))).toBeGreaterThan(0);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

test("text is in the order of its code points", () => {
  const texts = ["", "A", "Z", "a", "aa", "b", "é", "\u{ff5e}", "\u{1f600}"];
  for (const [i, first] of texts.entries()) {
    expect(compareText(first, first)).toBe(0);
    for (const next of texts.slice(i + 1)) {
      expect([first, next, compareText(first, next)]).toEqual([first, next, -1]);
      expect([next, first, compareText(next, first)]).toEqual([next, first, 1]);
    }
  }
});
