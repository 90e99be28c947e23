import { describe, expect, test } from "bun:test";
import {
  bytesOf,
  fieldsOf,
  isWithin,
  printable,
  readWithin,
  sliceOf,
} from "../../../src/image/bytes.ts";
import { ascii } from "./build.ts";

describe("ranges", () => {
  test.each([
    [10, 0, 10, true],
    [10, 10, 0, true],
    [10, 0, 11, false],
    [10, 11, 0, false],
    [10, -1, 2, false],
    [10, 1, -1, false],
    [10, 0.5, 1, false],
    [10, Number.NaN, 1, false],
    [10, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, false],
  ])("size %d, offset %d, length %d: %p", (size, offset, length, expected) => {
    expect(isWithin(size, offset, length)).toBe(expected);
  });

  test("a source gives exactly the range and throws outside of it", () => {
    const source = bytesOf(Uint8Array.of(1, 2, 3));
    expect([...source.read(1, 2)]).toEqual([2, 3]);
    expect([...source.read(3, 0)]).toEqual([]);
    expect(() => source.read(2, 2)).toThrow(RangeError);
    expect(() => source.read(-1, 1)).toThrow(RangeError);
    expect(readWithin(source, 2, 2)).toBeUndefined();
  });

  test("a slice cannot reach beyond itself", () => {
    const slice = sliceOf(bytesOf(Uint8Array.of(1, 2, 3, 4)), 1, 2);
    expect([...slice.read(0, 2)]).toEqual([2, 3]);
    expect(() => slice.read(1, 2)).toThrow(RangeError);
    expect(() => sliceOf(slice, 1, 2)).toThrow(RangeError);
  });
});

test("fields are little-endian, also in the middle of a buffer", () => {
  const fields = fieldsOf(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 0x88).subarray(1));
  expect(fields.u16(0)).toBe(0x0201);
  expect(fields.u32(0)).toBe(0x0403_0201);
  expect(fields.u64(0)).toBe(0x8807_0605_0403_0201n);
  expect(() => fields.u32(5)).toThrow(RangeError);
});

test("text from a file keeps printable ASCII and ends at a NUL", () => {
  expect(printable(ascii("6.1\u001b[31m\u0007 x\n\u00e9\0hidden"))).toBe("6.1[31m x");
});
