import { describe, expect, test } from "bun:test";
import { defaultEntry, type MenuEntry, pickEntry } from "../../../src/menu/entry.ts";

function entry(id: string, given: Partial<MenuEntry> = {}): MenuEntry {
  const nothing = { title: undefined, cmdline: undefined, problem: undefined };
  return { ...nothing, id, kernel: "k", initrds: [], default: false, from: `m:${id}`, ...given };
}

const menu = [
  entry("a", { title: "Linux" }),
  entry("b", { title: "Linux" }),
  entry("2", { title: "Rescue" }),
  entry("Rescue", { title: "0" }),
  entry("twice", { title: "x", from: "m:5" }),
  entry("twice", { title: "y", from: "m:6" }),
];

describe("--entry", () => {
  const picked = (wanted: string) => {
    const choice = pickEntry(menu, wanted);
    if (choice.kind === "several") return choice.entries.map(({ from }) => from);
    return choice.kind === "entry" ? choice.entry.from : choice.kind;
  };

  test.each([
    ["a", "m:a"],
    // An id before a title, a title before a number.
    ["2", "m:2"],
    ["Rescue", "m:Rescue"],
    ["0", "m:Rescue"],
    ["1", "m:b"],
    ["5", "m:6"],
    ["6", "missed"],
    ["-1", "missed"],
    ["1.0", "missed"],
    ["", "missed"],
    ["linux", "missed"],
  ])("%p is %p", (wanted, from) => {
    expect(picked(wanted)).toBe(from);
  });

  test("what several match is told apart from what none does", () => {
    expect(picked("Linux")).toEqual(["m:a", "m:b"]);
    expect(picked("twice")).toEqual(["m:5", "m:6"]);
  });
});

test("the default is the menu's own, else the first that can be booted", () => {
  const bad = { problem: "it is for another machine" };
  expect(defaultEntry(menu)?.id).toBe("a");
  expect(defaultEntry([entry("a"), entry("b", { default: true })])?.id).toBe("b");
  const broken = [entry("a", bad), entry("b"), entry("c", { default: true, ...bad })];
  expect(defaultEntry(broken)?.id).toBe("b");
  expect(defaultEntry([entry("a", bad)])).toBeUndefined();
  expect(defaultEntry([])).toBeUndefined();
});
