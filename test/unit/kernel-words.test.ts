import { describe, expect, test } from "bun:test";
import {
  kernelWords,
  moduleParameters,
  parameterValues,
  withoutWords,
} from "../../src/kernel-words.ts";
import { seeded } from "./fuzz.ts";

describe("words as the kernel sees them", () => {
  test.each([
    ["", [], false],
    ["  a  b=c\td\u000be ", ["a", "b=c", "d", "e"], false],
    ['a="b c" d', ['a="b c"', "d"], false],
    ['"a b=c" d', ['"a b=c"', "d"], false],
    ['a"b c"d e', ['a"b c"d', "e"], false],
    ['a="b\\" c', ['a="b\\"', "c"], false],
    ["a='b c'", ["a='b", "c'"], false],
    ['a "b c', ["a", '"b c'], true],
    ['a=""', ['a=""'], false],
  ] as const)("%j", (line, words, isOpen) => {
    expect(kernelWords(line)).toEqual({ words, isOpen });
  });

  test("0xa0 is white space, also as half of a UTF-8 letter", () => {
    expect(kernelWords("x=à-- y").words).toEqual(["x=\u00c3", "--", "y"]);
  });
});

test.each([
  ["", []],
  ["  a\tb  c ", ["a", "b", "c"]],
  ['a="b c" d', ['a="b c"', "d"]],
  ['"a b"=c d', ['"a b"=c', "d"]],
  // A quote that nothing closes goes on to the end, as in the kernel.
  ['a "b c', ["a", '"b c']],
])("%j has these words", (line, words) => {
  expect(kernelWords(line).words).toEqual(words);
});

describe("the values of a parameter", () => {
  test.each([
    ["kho=on", ["on"]],
    ["a kho=on kho=off", ["on", "off"]],
    ['kho="on"', ["on"]],
    ['"kho=on"', ["on"]],
    ['"kho=on', ["on"]],
    ['a="x kho=on"', []],
    ["xkho=on kho kho.a=1", []],
    ["kho=", [""]],
    ["kho=a=b", ["a=b"]],
    ["a -- kho=on", []],
    ['a "--" kho=on', []],
    ["=kho kho=1", ["1"]],
    ["a\u00a0kho=1", ["1"]],
  ])("%j", (line, values) => {
    expect(parameterValues(line, "kho")).toEqual([...values]);
  });

  test("a dash in a name is an underscore", () => {
    expect(parameterValues("acpi-rsdp=1 acpi_rsdp=2", "acpi_rsdp")).toEqual(["1", "2"]);
  });
});

describe("without some words", () => {
  const letters = ["a", "=", '"', " ", "\t", "à", "\u00a0", "é", "-", "initrd=", "栀"];

  test("the others are the same words to the kernel, and whole letters", () => {
    const rng = seeded(13);
    for (let round = 0; round < 5000; round++) {
      const line = Array.from({ length: rng.below(12) }, () => rng.pick(letters)).join("");
      const { words } = kernelWords(line);
      const same = withoutWords(line, () => false);
      expect({ line, words: kernelWords(same).words }).toEqual({ line, words: [...words] });
      expect(same).not.toContain("\ufffd");
      const isUnwanted = (word: string) => word.startsWith("initrd=");
      const left = withoutWords(line, isUnwanted);
      if (left.includes("\ufffd")) continue;
      const others = words.filter((word) => !isUnwanted(word));
      expect({ line, words: kernelWords(left).words }).toEqual({ line, words: others });
    }
  });

  test("the half of a letter goes with the word that ended in the other half", () => {
    const isUnwanted = (word: string) => word.startsWith("initrd=");
    expect(withoutWords("initrd=à b", isUnwanted)).toBe("b");
    expect(withoutWords("a initrd=à", isUnwanted)).toBe("a");
  });
});

test.each([
  ["watchdog.stop_on_reboot=0 quiet", "watchdog", "stop_on_reboot=0"],
  ["usb-storage.quirks=1:2:u usb_storage.delay_use=0", "usb_storage", "quirks=1:2:u delay_use=0"],
  ['a.text="two words" a.flag', "a", 'text="two words" flag'],
  ['"a.text=two words"', "a", '"text=two words"'],
  ["ab.c=1 root=a.c=1 .c=1 a=1", "a", ""],
  ["quiet -- a.c=1", "a", ""],
] as const)("what %p says to the module %p", (line, module, parameters) => {
  expect(moduleParameters(line, module)).toBe(parameters);
});
