import { expect, test } from "bun:test";
import { Memfd } from "../../../src/linux/memfd.ts";
import { appendRange, isWhole, type OpenFile, rangeOf } from "../../../src/source/open-file.ts";
import { seeded } from "../fuzz.ts";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** A file in several places of others, as a file of several extents inside of an ISO image is. */
function scattered(parts: readonly OpenFile[]): OpenFile {
  const bytes = new Uint8Array(parts.flatMap((part) => [...part.read(0, part.size)]));
  return {
    path: "scattered",
    canonicalPath: "scattered",
    fd: undefined,
    extents: parts.flatMap(({ extents }) => extents),
    size: bytes.length,
    read: (offset, length) => bytes.slice(offset, offset + length),
  };
}

function memfd(content: string): Memfd {
  const file = Memfd.create("test", content);
  file.append(new TextEncoder().encode(content));
  return file;
}

test("a range has its own bytes, and their places in the file around it", () => {
  using file = memfd("0123456789");
  const outer = rangeOf(file, 2, 6, "outer");
  const inner = rangeOf(outer, 1, 3, "inner");
  expect(text(inner.read(0, 3))).toBe("345");
  expect(inner.extents).toEqual([{ fd: file.fd, path: file.path, offset: 3, length: 3 }]);
  expect(() => inner.read(1, 3)).toThrow(RangeError);
  expect(() => rangeOf(inner, 1, 3, "x")).toThrow(RangeError);
});

test("only a whole file can be given to the kernel", () => {
  using file = memfd("0123456789");
  expect(isWhole(file)).toBe(true);
  expect(isWhole(rangeOf(file, 0, 10, "x"))).toBe(true);
  expect(isWhole(rangeOf(file, 0, 9, "x"))).toBe(false);
  expect(isWhole(rangeOf(rangeOf(file, 1, 9, "x"), 0, 9, "x"))).toBe(false);
});

test("copies are what is read, wherever the bytes are", () => {
  using one = memfd("abcdefghij");
  using other = memfd("0123456789");
  const file = scattered([
    rangeOf(one, 7, 3, "x"),
    rangeOf(other, 0, 4, "x"),
    rangeOf(one, 0, 1, "x"),
    other,
  ]);
  const random = seeded(7);
  for (let round = 0; round < 200; round++) {
    const offset = random.below(file.size + 1);
    const length = random.below(file.size - offset + 1);
    using copy = Memfd.create("copy");
    appendRange(copy, file, offset, length);
    expect(text(copy.read(0, copy.size))).toBe(text(file.read(offset, length)));
  }
  using copy = Memfd.create("copy");
  expect(() => appendRange(copy, file, 1, file.size)).toThrow(RangeError);
});
