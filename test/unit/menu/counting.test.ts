import { describe, expect, test } from "bun:test";
import {
  blessingOf,
  countedDown,
  fromPlaceIn,
  fromWordOf,
  readCounter,
} from "../../../src/menu/counting.ts";

test.each([
  ["a.conf", "a.conf", undefined, undefined, undefined],
  ["a+3.conf", "a.conf", 3, 0, "a+2-1.conf"],
  ["a+3-1.efi", "a.efi", 3, 1, "a+2-2.efi"],
  ["a+0-3.conf", "a.conf", 0, 3, undefined],
  ["a+1+3-1.conf", "a+1.conf", 3, 1, "a+1+2-2.conf"],
  ["a+x.conf", "a+x.conf", undefined, undefined, undefined],
  ["a+9999999999.conf", "a+9999999999.conf", undefined, undefined, undefined],
  ["+3.conf", "+3.conf", undefined, undefined, undefined],
])("the file %p", (name, id, left, done, next) => {
  expect(readCounter(name, true)).toEqual({ id, left, done });
  expect(countedDown(name, true)).toBe(next);
});

test.each([
  ["41", "41", undefined, undefined],
  ["41+2", "41", 2, "41+1-1"],
  ["v1.2.3+2-1", "v1.2.3", 2, "v1.2.3+1-2"],
  ["a+2-1.d", "a+2-1.d", undefined, undefined],
])("the folder %p", (name, id, left, next) => {
  expect(readCounter(name, false)).toMatchObject({ id, left });
  expect(countedDown(name, false)).toBe(next);
});

describe("the word that says where a system came from", () => {
  test.each([
    [
      "UUID=1234-ABCD:/loader/entries/a.conf",
      "aegis_kexec.from=UUID=1234-ABCD:/loader/entries/a.conf",
    ],
    ['/store/a "b" é', "aegis_kexec.from=/store/a%20%22b%22%20%C3%A9"],
    ["100%", "aegis_kexec.from=100%25"],
    // Bytes that are not UTF-8, as a name from a disk has them; each name of a path by itself.
    ["/é/3\udcff", "aegis_kexec.from=/%C3%A9/3%FF"],
    ["/\udcc3\udca9\udcff/é", "aegis_kexec.from=/%C3%A9%FF/%C3%A9"],
  ])("%p", (place, word) => {
    expect(fromWordOf(place)).toBe(word);
    expect(fromPlaceIn(["quiet", word])).toBe(place);
  });

  test("is none where it is missing, empty, broken or has a control character", () => {
    for (const words of [
      ["quiet"],
      ["aegis_kexec.from="],
      ["aegis_kexec.from=%"],
      ["aegis_kexec.from=%00"],
    ]) {
      expect(fromPlaceIn(words)).toBeUndefined();
    }
  });

  test("is the last of several", () => {
    expect(fromPlaceIn(["aegis_kexec.from=/a", "aegis_kexec.from=/b"])).toBe("/b");
  });
});

test.each([
  [["a+2-1.conf", "b.conf"], { kind: "counted", name: "a+2-1.conf" }],
  [["a.conf"], { kind: "uncounted" }],
  [["b.conf"], { kind: "missing" }],
  [["a.conf", "a+1.conf"], { kind: "several", names: ["a.conf", "a+1.conf"] }],
])("blessing a.conf among %p", (names, blessing) => {
  expect<unknown>(blessingOf(names, "a.conf", true)).toEqual(blessing);
});
