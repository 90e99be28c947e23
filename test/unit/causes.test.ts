import { describe, expect, test } from "bun:test";
import { causes } from "../../src/causes.ts";
import { cannot, errorCodes, isErrorCode } from "../../src/errors.ts";
import { remedies } from "../../src/remedies/remedies.ts";
import { errorsPage, withTable } from "../causes.ts";
import { shownByKernels, unseenCodes } from "../runner/codes.ts";
import { codeOf, provocations } from "./provoked.ts";

test("the table of docs/errors.md is the code's", async () => {
  const text = await Bun.file(errorsPage).text();
  expect(text).toBe(withTable(text));
});

test("every error code has a cause and a cure, and no cure switches Secure Boot off", () => {
  expect(Object.keys(causes).sort()).toEqual(Object.keys(errorCodes).sort());
  for (const { cause, cure } of Object.values(causes)) {
    expect(cause).toMatch(/^\S[^|\n]+[^.\s]$/);
    expect(cure).toMatch(/^\S[^|\n]+[^.\s]$/);
    expect(cure).not.toMatch(/secure boot/i);
  }
});

/** What a person without a build machine has not. */
const packagers = /sbsign|mokutil|minisign -S|openssl|CONFIG_|evmctl|sign it/;

test("every error code has an action, a first hint for whoever is there, and named data", () => {
  const table = remedies();
  expect(Object.keys(table).sort()).toEqual(Object.keys(errorCodes).sort());
  for (const [code, { action, hint, details }] of Object.entries(table)) {
    expect(action).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect([code, hint.length > 10 && hint.length <= 100]).toEqual([code, true]);
    expect(hint).not.toMatch(packagers);
    expect(hint).toMatch(/^[^\n]*[^.\s]$/);
    for (const [name, kind] of Object.entries(details)) {
      expect(name).toMatch(/^[a-z][A-Za-z]*$/);
      expect(["text", "number", "texts"]).toContain(kind);
    }
  }
});

test("a hint begins with what somebody at a console can do; the packager's way comes second", () => {
  for (const code of Object.keys(errorCodes).filter(isErrorCode)) {
    const why = "it is so";
    const plain = cannot("load", { code, why, hint: "do this" });
    const [first = "", second] = plain.hint?.split("\n") ?? [];
    expect(first.length).toBeLessThanOrEqual(100);
    expect(plain.action).toBe(remedies()[code].action);
    if (first !== "do this") expect([first, second]).toEqual([remedies()[code].hint, "do this"]);
    if (code === "usage") continue;
    const long = `sign it: ${"x".repeat(100)}`;
    expect(cannot("load", { code, why, hint: long }).hint).toBe(
      `${remedies()[code].hint}\n${long}`,
    );
    expect(cannot("load", { code, why }).hint).toBeNull();
    const both = cannot("load", { code, why, hint: "one\ntwo", action: "try-again" });
    expect([both.hint, both.action]).toEqual(["one\ntwo", "try-again"]);
  }
});

test("whatever a case says, the first line has at most 100 characters, and its own words stand below", () => {
  const long = `give ${"/a".repeat(80)}`;
  for (const code of Object.keys(errorCodes).filter(isErrorCode)) {
    for (const hint of ["short", long, `${long}\nthen sign`, `short\n${long}`, "x".repeat(101)]) {
      const told = cannot("load", { code, why: "it is so", hint }).hint?.split("\n") ?? [];
      expect([code, (told[0] ?? "").length <= 100, told.length <= 2]).toEqual([code, true, true]);
      for (const line of hint.split("\n")) expect(told.join("; ")).toContain(line);
    }
  }
});

test("every cause is shown: provoked here, or by a kernel in a virtual machine", () => {
  const shown = [...Object.keys(provocations), ...shownByKernels];
  expect(shown.sort()).toEqual(Object.keys(errorCodes).sort());
});

describe("provoked is", () => {
  test.each(Object.entries(provocations))(
    "%s",
    async (code, provoke) => {
      expect(await codeOf(provoke)).toBe(code);
    },
    20_000,
  );
});

test("what no test in a virtual machine has seen is told", () => {
  const [first, second, ...rest] = shownByKernels;
  const place = { test: "a", places: [] };
  const records = new Map([
    [
      "vm/a",
      [
        { ...place, codes: [...rest] },
        { ...place, codes: ["lockdown"] },
      ],
    ],
    // As a record of before codes were noted has it
    ["vm/b", [place]],
  ]);
  expect(unseenCodes(records).toSorted()).toEqual([first, second].sort());
  expect(unseenCodes(new Map())).toEqual([...shownByKernels]);
});
