import { expect, test } from "bun:test";
import { shellWord, visible, visibleJson } from "../../../../src/visible.ts";

test.each([
  ["plain text, ümlaut, 漢字, 🚀", "plain text, ümlaut, 漢字, 🚀"],
  ["\x1b[2J", "\\x1b[2J"],
  ["a\nb\tc\rd\0", "a\\nb\\tc\\x0dd\\x00"],
  ["\x7f\x9b", "\\x7f\\x9b"],
  ["\u202egpj.exe", "\\u202egpj.exe"],
  ["\u2066\u2069\u200f\u2028\ufeff", "\\u2066\\u2069\\u200f\\u2028\\ufeff"],
])("%j is shown as %j", (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test("JSON has no character that a terminal acts on, and the same value", () => {
  const value = Object.fromEntries(
    Array.from({ length: 0x2100 }, (_, code) => [`k${code}`, String.fromCharCode(code)]),
  );
  const text = visibleJson(value);
  expect(text).not.toMatch(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]/);
  expect(JSON.parse(text)).toEqual(value);
});

test("a path is one word of a shell", () => {
  for (const path of ["a b", "$(reboot)", "it's", "-S", "a;b", "`x`", "plain/path-1.efi", 'a"b']) {
    const { stdout } = Bun.spawnSync(["sh", "-c", `printf %s ${shellWord(path)}`]);
    expect(stdout.toString().replace(/^\.\//, "")).toBe(path);
  }
});
