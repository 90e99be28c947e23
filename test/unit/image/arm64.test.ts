import { describe, expect, test } from "bun:test";
import { type Arm64Image, arm64Refusal, readArm64Image } from "../../../src/image/arm64.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { makeArm64, makeBzImage, makePe, patched } from "./build.ts";

function read(bytes: Uint8Array): Arm64Image {
  const image = readArm64Image(bytesOf(bytes));
  if (image?.kind !== "arm64-image") throw new Error(`no Image: ${JSON.stringify(image)}`);
  return image;
}

test("facts", () => {
  expect(read(makeArm64())).toEqual({
    kind: "arm64-image",
    imageSize: 0x2000,
    textOffset: 0x80000,
    bigEndian: false,
    pageSize: 4096,
    anyPlacement: true,
    fileSize: 4096,
    cutShort: undefined,
  });
});

test.each([
  [0b0000, { bigEndian: false, pageSize: undefined, anyPlacement: false }],
  [0b0001, { bigEndian: true, pageSize: undefined, anyPlacement: false }],
  [0b0100, { bigEndian: false, pageSize: 16384, anyPlacement: false }],
  [0b0110, { bigEndian: false, pageSize: 65536, anyPlacement: false }],
  [0b1000, { bigEndian: false, pageSize: undefined, anyPlacement: true }],
])("flags %d", (flags, expected) => {
  expect(read(patched(makeArm64(), [24, 8, flags]))).toMatchObject(expected);
});

test("sizes that no address space has are broken", () => {
  const image = patched(makeArm64(), [20, 4, 0xffff_ffff]);
  expect(readArm64Image(bytesOf(image))).toMatchObject({
    kind: "broken",
    code: "kernel-unsuitable",
  });
});

test("a file that ends inside the header", () => {
  expect(readArm64Image(bytesOf(makeArm64().subarray(0, 63)))).toMatchObject({ kind: "broken" });
  expect(readArm64Image(bytesOf(makeArm64().subarray(0, 59)))).toBeUndefined();
  expect(readArm64Image(bytesOf(makeBzImage()))).toBeUndefined();
});

describe("a file that was cut", () => {
  test("without an EFI header, when most of its memory is not in the file", () => {
    const image = patched(makeArm64(), [16, 8, 0x1_0000]);
    expect(read(image).cutShort).toBe(
      "it has 4096 bytes, and its header announces 65536 bytes of memory",
    );
    expect(read(patched(image, [16, 8, 8192])).cutShort).toBeUndefined();
    expect(read(patched(image, [16, 8, 8193])).cutShort).toBeDefined();
  });

  test("with one, when a section does not end inside the file, and not otherwise", () => {
    const content = new Uint8Array(8192);
    // arch/arm64/kernel/head.S: the same bytes are both headers.
    const pe = makePe([{ name: ".text", content }]);
    const image = patched(pe, [8, 8, 0], [16, 8, 0x100_0000], [24, 8, 0b1010], [56, 4, 0x644d5241]);
    expect(read(image).cutShort).toBeUndefined();
    expect(read(image.subarray(0, -1)).cutShort).toBe("a section does not end inside the file");
    expect(read(image.subarray(0, 400)).cutShort).toBe("the file ends inside the headers");
    expect(read(image.subarray(0, 66)).cutShort).toContain("announces 16777216 bytes of memory");
  });
});

describe("the kernel's own checks", () => {
  const machine = { bigEndian: false, mixedEndian: false, pageSizes: [4096, 65536] };
  test.each([
    ["no image size", patched(makeArm64(), [16, 8, 0]), /3\.17/],
    ["big-endian", patched(makeArm64(), [24, 8, 0b0011]), /big-endian/],
    ["16K pages", patched(makeArm64(), [24, 8, 0b0100]), /16K/],
  ])("%s", (_, bytes, reason) => {
    const refusal = arm64Refusal(read(bytes), machine);
    expect(refusal).toMatchObject({ stage: "load", errno: "EINVAL", code: "kernel-unsuitable" });
    expect(refusal?.why).toMatch(reason);
  });

  test("what the machine can do is no reason, nor is what is not known of it", () => {
    const big = read(patched(makeArm64(), [24, 8, 0b0101]));
    expect(arm64Refusal(big, {})).toBeUndefined();
    const able = { ...machine, mixedEndian: true, pageSizes: [16384] };
    expect(arm64Refusal(big, able)).toBeUndefined();
    expect(arm64Refusal(read(makeArm64()), machine)).toBeUndefined();
  });
});
