import { describe, expect, test } from "bun:test";
import { type Arm64Image, arm64Refusal, readArm64Image } from "../../../src/image/arm64.ts";
import { bytesOf } from "../../../src/image/bytes.ts";
import { makeArm64, makeBzImage, patched } from "./build.ts";

function read(bytes: Uint8Array): Arm64Image {
  const image = readArm64Image(bytesOf(bytes));
  if (image?.kind !== "arm64-image") throw new Error(`no Image: ${JSON.stringify(image)}`);
  return image;
}

test("facts", () => {
  expect(read(makeArm64())).toEqual({
    kind: "arm64-image",
    imageSize: 0x20_0000,
    textOffset: 0x80000,
    bigEndian: false,
    pageSize: 4096,
    anyPlacement: true,
    fileSize: 4096,
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

describe("the kernel's own checks", () => {
  const machine = { bigEndian: false, mixedEndian: false, pageSizes: [4096, 65536] };
  test.each([
    ["no image size", patched(makeArm64(), [16, 8, 0]), /3\.17/],
    ["big-endian", patched(makeArm64(), [24, 8, 0b0011]), /big-endian/],
    ["16K pages", patched(makeArm64(), [24, 8, 0b0100]), /16K/],
  ])("%s", (_, bytes, reason) => {
    const refusal = arm64Refusal(read(bytes), machine);
    expect(refusal).toMatchObject({ stage: "load", errno: "EINVAL", code: "kernel-unsuitable" });
    expect(refusal?.reason).toMatch(reason);
  });

  test("what the machine can do is no reason, nor is what is not known of it", () => {
    const big = read(patched(makeArm64(), [24, 8, 0b0101]));
    expect(arm64Refusal(big, {})).toBeUndefined();
    const able = { ...machine, mixedEndian: true, pageSizes: [16384] };
    expect(arm64Refusal(big, able)).toBeUndefined();
    expect(arm64Refusal(read(makeArm64()), machine)).toBeUndefined();
  });
});
