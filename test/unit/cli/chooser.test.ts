import { describe, expect, test } from "bun:test";
import { type Choice, type Chooser, keysOf, press, tick, view } from "../../../src/cli/chooser.ts";
import { withEntry } from "../../../src/cli/menu.ts";

const choice = (id: string, problem?: string): Choice => ({ id, title: `Title ${id}`, problem });
const three = [choice("a"), choice("b", "it opens the firmware's setup"), choice("c")];
const start: Chooser = { selected: 0, typed: "", left: 5, message: "" };

/** What a person types, and what comes of it. */
function type(text: string, choices = three, state = start) {
  let now = { state, outcome: undefined as ReturnType<typeof press>["outcome"] };
  for (const key of keysOf(text)) now = press(now.state, key, choices);
  return { selected: now.state.selected, outcome: now.outcome, message: now.state.message };
}

test.each([
  ["\x1b[B", 1, undefined],
  ["\x1b[B\x1b[B\x1b[B\x1b[B", 2, undefined],
  ["\x1bOB\x1bOA", 0, undefined],
  ["jjk", 1, undefined],
  ["\x1b[F\x1b[H", 0, undefined],
  ["2\r", 2, "taken"],
  ["\r", 0, "taken"],
  ["i", 0, "inspect"],
  ["q", 0, "left"],
  ["\x03", 0, "left"],
  ["\x1b[5~x", 0, undefined],
])("typing %j", (text, selected, outcome) => {
  expect(type(text)).toMatchObject({ selected, outcome });
});

test("digits make a number as long as there is such an entry", () => {
  const many = Array.from({ length: 30 }, (_, number) => choice(String(number)));
  expect(type("12", many).selected).toBe(12);
  expect(type("123", many).selected).toBe(3);
  expect(type("9").message).toBe("there is no entry 9");
});

test("what cannot be booted is not taken, and says why", () => {
  expect(type("1\r")).toEqual({
    selected: 1,
    outcome: undefined,
    message: "it cannot be booted: it opens the firmware's setup",
  });
});

describe("the countdown", () => {
  test("takes the default at its end", () => {
    let now = tick(start, three);
    expect(now.state.left).toBe(4);
    for (let second = 0; second < 4; second += 1) now = tick(now.state, three);
    expect(now.outcome).toBe("taken");
  });

  test("stops at any key, and where the default cannot be booted", () => {
    expect(press(start, "other", three).state.left).toBeUndefined();
    const bad = tick({ ...start, selected: 1, left: 1 }, three);
    expect(bad.outcome).toBeUndefined();
    expect(bad.state.message).toContain("cannot be booted");
  });
});

test("the list fits 80 columns and 25 lines, and cannot command the terminal", () => {
  const many = Array.from({ length: 500 }, (_, number) => ({
    id: String(number),
    title: `${"long ".repeat(40)}\x1b[31m\n`,
    problem: number % 2 === 0 ? "x".repeat(300) : undefined,
  }));
  for (const selected of [0, 250, 499]) {
    const lines = view({ selected, typed: "499", left: 10, message: "y".repeat(300) }, many);
    expect(lines.length).toBeLessThanOrEqual(24);
    for (const line of lines) {
      expect(line.length).toBeLessThanOrEqual(79);
      expect(line).not.toMatch(/[\x00-\x1f]/);
    }
    expect(
      lines.some((line) => line.startsWith(`> ${selected}`) || line.startsWith(`>   ${selected}`)),
    ).toBe(true);
  }
});

test("the default stays the default, and another is named by its id, or by its number", () => {
  const entry = (id: string, isDefault = false) => ({
    ...{ id, title: id, kernel: "/k", initrds: [], cmdline: "", problem: undefined, from: "x" },
    default: isDefault,
  });
  const entries = [entry("a"), entry("b", true), entry("c"), entry("c")];
  const entryOf = (index: number) => withEntry({ kernel: "disk" }, entries, index).entry;
  expect([0, 1, 2, 3].map(entryOf)).toEqual(["a", undefined, "2", "3"]);
});
