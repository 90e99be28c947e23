import { describe, expect, test } from "bun:test";
import { hashOf, steadyNames } from "../../build/steady.ts";

const word = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const entry = (text: string, hash = hashOf(text)) =>
  Buffer.concat([word(0x8000_0000 + text.length), word(hash), Buffer.from(text), Buffer.alloc(3)]);
const names = (random: string) => [`${random}C00000001`, `${random}C00000042`];

describe("chunks' names", () => {
  test("become the same whatever they were, with their hashes", () => {
    const file = (random: string) =>
      Buffer.concat([
        Buffer.alloc(20, 1),
        ...names(random).map((one) => entry(one)),
        Buffer.from("end"),
      ]);
    const [a, b] = [file("0280544c58bf0824"), file("eeaec700303f09c6")];
    expect([steadyNames(a), steadyNames(b)]).toEqual([2, 2]);
    expect(a).toEqual(b);
    expect(a).toEqual(file("0".repeat(16)));
    expect(steadyNames(a)).toBe(2);
  });

  // From a build: the hash is the engine's, not ours.
  test("have the hash that the engine gives them", () => {
    expect(hashOf("0280544c58bf0824C00000001")).toBe(0xfc0ed0);
    expect(hashOf("0280544c58bf0824C00000023")).toBe(0xbbbd8c);
  });

  test("of two random numbers, or with another hash, are refused", () => {
    const two = Buffer.concat(
      ["0280544c58bf0824", "eeaec700303f09c6"].flatMap(names).map((one) => entry(one)),
    );
    expect(() => steadyNames(two)).toThrow("more than one random number");
    const [first = ""] = names("0280544c58bf0824");
    expect(() => steadyNames(entry(first, hashOf(first) ^ 1))).toThrow("another hash");
  });

  test("stay where nothing says that they are names", () => {
    const text = Buffer.from("        0280544c58bf0824C00000001");
    const before = Buffer.from(text);
    expect(steadyNames(text)).toBe(0);
    expect(text).toEqual(before);
  });
});
