import { expect, test } from "bun:test";
import { KexecError } from "../../../src/errors.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { archiveEntries } from "../../../src/initramfs/read.ts";
import { bytes, concat, random, refusal } from "./samples.ts";

const archive = encodeArchive([
  { type: "directory", path: "dev", mode: 0o700, uid: 1, gid: 2 },
  { type: "character-device", path: "dev/tty", major: 5, minor: 1 },
  { type: "file", path: "file", data: bytes("12345") },
  { type: "symlink", path: "link", target: "file" },
  { type: "removal", path: "gone" },
]);

function readAll(file: Uint8Array, start = 0) {
  const entries = archiveEntries(bytesOf(file), start);
  const found = [];
  for (;;) {
    const step = entries.next();
    if (step.done === true) return { found, end: step.value };
    found.push(step.value);
  }
}

test("what was written is read, and where it ends", () => {
  const { found, end } = readAll(concat(archive, new Uint8Array(8)));
  expect(found.map(({ path, type, mode }) => [path, type, mode])).toEqual([
    ["dev", "directory", 0o700],
    ["dev/tty", "character-device", 0o600],
    ["file", "file", 0o644],
    ["link", "symlink", 0o777],
    ["gone", "none", 0],
  ]);
  expect(found[0]).toMatchObject({ uid: 1, gid: 2, links: 2, mtime: 0, inode: 721, offset: 0 });
  expect(found[1]).toMatchObject({ major: 5, minor: 1 });
  const { dataOffset = 0, size } = found[2] ?? {};
  expect(size).toBe(5);
  expect(Buffer.from(archive).toString("latin1", dataOffset, dataOffset + 5)).toBe("12345");
  expect(end).toBe(archive.length);
});

test("an archive may start further in, at any offset", () => {
  const { found, end } = readAll(concat(bytes("12345"), archive), 5);
  expect(found).toHaveLength(5);
  expect(end).toBe(5 + archive.length);
});

test("the padding of the last trailer may be missing", () => {
  const bare = archive.subarray(0, -3);
  expect(readAll(bare).end).toBe(bare.length);
});

const patched = (at: number, text: string) => {
  const copy = archive.slice();
  copy.set(bytes(text), at);
  return copy;
};

test.each([
  ["has no newc magic", patched(0, "070707")],
  ["has a field that is not a hexadecimal number", patched(20, "x")],
  ["has an unknown file type", patched(14, "0000F1ED")],
  ["has a name of impossible length", patched(94, "00000000")],
  ["has a name of impossible length", patched(94, "00001001")],
  ["has a name without its NUL", patched(94, "00000003")],
  ["has no whole name", archive.subarray(0, 111)],
  ["has data beyond the end", patched(54, "FFFFFFFF")],
  ["has no whole header", archive.subarray(0, 109)],
  ["has no whole header", new Uint8Array(0)],
])("refused: %s", (why, file) => {
  const error = refusal(() => readAll(file));
  expect(error.code).toBe("malformed-input");
  expect(error.message).toBe(`malformed initramfs archive: the entry at byte 0 ${why}`);
});

test("an archive cut anywhere is refused", () => {
  for (let length = 0; length < archive.length - 3; length += 1) {
    expect(refusal(() => readAll(archive.subarray(0, length))).code).toBe("malformed-input");
  }
});

test("mutations end in entries inside the file or in the one error", () => {
  const next = random(7);
  let refused = 0;
  for (let round = 0; round < 3000; round += 1) {
    const file = archive.slice(0, archive.length - (next(4) === 0 ? next(archive.length) : 0));
    for (let change = next(6); change > 0 && file.length > 0; change -= 1) {
      file[next(file.length)] = next(2) === 0 ? next(256) : 0x30 + next(10);
    }
    try {
      const { found, end } = readAll(file);
      expect(end).toBeLessThanOrEqual(file.length);
      for (const { dataOffset, size } of found) {
        expect(dataOffset + size).toBeLessThanOrEqual(file.length);
      }
      expect(found.length).toBeLessThan(file.length / 110);
    } catch (error) {
      if (!(error instanceof KexecError)) throw error;
      expect(error.code).toBe("malformed-input");
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(500);
  expect(refused).toBeLessThan(2900);
});
