import { expect, test } from "bun:test";
import { causes } from "../../src/causes.ts";
import { errorCodes } from "../../src/errors.ts";
import { readme, withTable } from "../causes.ts";

test("the README's table is the code's", async () => {
  const text = await Bun.file(readme).text();
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
