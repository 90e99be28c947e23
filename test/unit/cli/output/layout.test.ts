import { expect, test } from "bun:test";
import { columns, WIDTH, wrap } from "../../../../src/cli/output/layout.ts";

test("wrap breaks at blanks and keeps every word", () => {
  expect(wrap("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrap("one two three", 100)).toEqual(["one two three"]);
  expect(wrap("a unbreakable b", 5)).toEqual(["a", "unbreakable", "b"]);
  expect(wrap("", 5)).toEqual([""]);
});

test("columns align their texts and hang the rest", () => {
  const text = "word ".repeat(30).trim();
  const lines = columns([
    ["a", "short"],
    ["label", text],
    ["none", ""],
  ]);
  expect(lines[0]).toBe("  a      short");
  expect(lines.at(-1)).toBe("  none");
  expect(lines.slice(1, -1).every((line) => line.length <= WIDTH)).toBe(true);
  expect(lines.slice(2, -1).every((line) => line.startsWith(`${" ".repeat(9)}word`))).toBe(true);
});

test("a label that is too wide has its text below", () => {
  expect(columns([["--a-long-option", "text"]], 4)).toEqual(["  --a-long-option", "        text"]);
});
