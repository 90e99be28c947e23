import { expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readBootconfig } from "../../../src/initramfs/bootconfig.ts";
import { boot } from "./kernel.ts";
import { bootconfigTrailer, bytes, concat, random } from "./samples.ts";

const archive = new Uint8Array(101).fill(0);
const trailer = bootconfigTrailer("kernel.quiet\n\0");
const read = (file: Uint8Array) => readBootconfig(bytesOf(file));

test("a bootconfig is found, with up to three bytes behind its magic", () => {
  for (let trailing = 0; trailing <= 3; trailing += 1) {
    const file = concat(archive, trailer, new Uint8Array(trailing).fill(trailing));
    expect(read(file)).toEqual({ kind: "bootconfig", offset: 101, length: trailer.length });
  }
  expect(read(concat(archive, trailer, new Uint8Array(4)))).toBeUndefined();
});

test("a file may be a bootconfig alone, and an empty one is one", () => {
  expect(read(trailer)).toEqual({ kind: "bootconfig", offset: 0, length: trailer.length });
  const empty = bootconfigTrailer("");
  expect(read(concat(archive, empty))).toEqual({ kind: "bootconfig", offset: 101, length: 20 });
});

test("without the magic there is none", () => {
  expect(read(new Uint8Array(0))).toBeUndefined();
  expect(read(archive)).toBeUndefined();
  expect(read(concat(trailer, archive))).toBeUndefined();
  expect(read(trailer.subarray(0, -1))).toBeUndefined();
});

test.each([
  ["there is no room for its header", bytes("1234567#BOOTCONFIG\n")],
  ["its size is larger than the file", trailer.subarray(1)],
  ["its checksum does not match", trailer.with(0, 0)],
  ["larger than the kernel's limit", bootconfigTrailer("x".repeat(32 * 1024))],
])("broken: %s", (problem, file) => {
  const found = read(file);
  expect(found).toMatchObject({ kind: "broken", format: "bootconfig", code: "malformed-input" });
  expect(found).toHaveProperty("why", expect.stringContaining(problem));
});

test("the largest that the kernel reads is read", () => {
  const largest = bootconfigTrailer("\u007f".repeat(32 * 1024 - 1));
  expect(read(largest)).toMatchObject({ kind: "bootconfig", offset: 0 });
});

test("mutations: what is found is what the kernel would cut off", () => {
  const next = random(20);
  const good = concat(archive, trailer, new Uint8Array(2));
  let found = 0;
  for (let round = 0; round < 3000; round += 1) {
    const file = good.slice(0, good.length - next(4));
    for (let change = next(3); change > 0; change -= 1) {
      file[file.length - 1 - next(40)] = next(256);
    }
    const result = read(file);
    const { bootconfig } = boot(file);
    if (result?.kind === "bootconfig") {
      found += 1;
      expect(bootconfig?.length).toBe(result.length - 20);
      expect(result.offset + result.length).toBeLessThanOrEqual(file.length);
    } else {
      expect(bootconfig).toBeUndefined();
    }
  }
  expect(found).toBeGreaterThan(100);
  expect(found).toBeLessThan(2900);
});
