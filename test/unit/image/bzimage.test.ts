import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import {
  type BzImage,
  bzImageRefusal,
  protocolText,
  readBzImage,
} from "../../../src/image/bzimage.ts";
import { ascii, bzPayload, bzSetupSects, concat, makeBzImage, patched } from "./build.ts";

function read(bytes: Uint8Array): BzImage {
  const image = readBzImage(bytesOf(bytes));
  if (image?.kind !== "bzimage") throw new Error(`no bzImage: ${JSON.stringify(image)}`);
  return image;
}

describe("facts", () => {
  test("of a whole bzImage", () => {
    expect(read(makeBzImage())).toEqual({
      kind: "bzimage",
      protocol: 0x020f,
      version: "9.8.7-test (me@here) #1",
      bootFlag: true,
      loadedHigh: true,
      entry64: true,
      above4G: true,
      fiveLevel: true,
      fiveLevelEnabled: true,
      relocatable: true,
      cmdlineSize: 2047,
      initSize: 0x0200_0000,
      setupSects: bzSetupSects,
      payload: bzPayload,
      fileSize: 3072,
      announcedSize: 3072,
      cutShort: false,
    });
  });

  test("a sector count of 0 means 4", () => {
    expect(read(patched(makeBzImage(), [0x1f1, 1, 0])).setupSects).toBe(4);
  });

  test("fields that the protocol version does not have are not read", () => {
    const image = read(patched(makeBzImage(), [0x206, 2, 0x0204]));
    expect(image).toMatchObject({
      entry64: false,
      above4G: false,
      fiveLevel: false,
      relocatable: false,
      cmdlineSize: 0,
      initSize: 0,
      payload: undefined,
    });
  });

  test("5-level paging: can be started under it, and uses it, are two flags", () => {
    expect(read(patched(makeBzImage(), [0x236, 2, 0b010_0011]))).toMatchObject({
      fiveLevel: true,
      fiveLevelEnabled: false,
    });
    expect(read(patched(makeBzImage(), [0x236, 2, 0b100_0011]))).toMatchObject({
      fiveLevel: false,
      fiveLevelEnabled: true,
    });
  });

  test("the version string is bounded and cannot carry terminal codes", () => {
    const long = concat(makeBzImage(), new Uint8Array(512).fill(0x41));
    const image = patched(long, [0x20e, 2, 0x5ff - 0x200], [0x5ff, 1, 0x1b]);
    image.fill(0x41, 0x600, 0x900);
    expect(read(image).version).toBe("A".repeat(255));
    expect(read(patched(long, [0x20e, 2, 0])).version).toBeUndefined();
    // Behind the setup code, though inside the file.
    expect(read(patched(image, [0x1f1, 1, 1], [0x20e, 2, 0x400])).version).toBeUndefined();
    expect(read(patched(long, [0x20e, 2, 0xffff])).version).toBeUndefined();
  });

  test("a version at the end of the file ends there", () => {
    const image = concat(makeBzImage().subarray(0, 1100), ascii("1.2"));
    expect(read(patched(image, [0x20e, 2, 1100 - 0x200])).version).toBe("1.2");
  });
});

describe("cut short", () => {
  test("one byte less than announced, though the kernel would load it", () => {
    const image = read(makeBzImage().subarray(0, 3071));
    expect(image.cutShort).toBe(true);
    expect(bzImageRefusal(image, {})).toBeUndefined();
  });

  test("more than announced, as in a signed kernel, is whole", () => {
    expect(read(makeBzImage(1480)).cutShort).toBe(false);
  });

  test("a payload that ends behind the file", () => {
    expect(read(patched(makeBzImage(), [0x24c, 4, 0xffff_ffff])).cutShort).toBe(true);
  });

  test("a file of less than two sectors is broken, not unknown", () => {
    expect(readBzImage(bytesOf(makeBzImage().subarray(0, 1023)))).toMatchObject({
      kind: "broken",
      code: "kernel-truncated",
    });
  });
});

test.each([
  ["an empty file", new Uint8Array()],
  ["text", ascii("#!/bin/sh\n".repeat(200))],
  ["the magic one byte off", concat(new Uint8Array(1), makeBzImage())],
  ["a file that ends inside the magic", makeBzImage().subarray(0, 0x205)],
])("%s is no bzImage", (_, bytes) => {
  expect(readBzImage(bytesOf(bytes))).toBeUndefined();
});

describe("the kernel's own checks", () => {
  const five = { fiveLevelPaging: true };
  test.each([
    ["no boot flag", patched(makeBzImage(), [0x1fe, 2, 0]), {}, "not-a-kernel", /boot sector/],
    ["protocol 2.11", patched(makeBzImage(), [0x206, 2, 0x20b]), {}, "kernel-unsuitable", /2\.11/],
    ["a zImage", patched(makeBzImage(), [0x211, 1, 0]), {}, "kernel-unsuitable", /zImage/],
    ["32-bit", patched(makeBzImage(), [0x236, 2, 0x7e]), {}, "kernel-unsuitable", /64-bit entry/],
    ["below 4G", patched(makeBzImage(), [0x236, 2, 0x7d]), {}, "kernel-unsuitable", /above 4 GiB/],
    ["32-bit EFI", makeBzImage(), { efi32Runtime: true }, "kernel-unsuitable", /32-bit/],
    ["4-level", patched(makeBzImage(), [0x236, 2, 0x43]), five, "kernel-unsuitable", /5-level/],
  ])("probe: %s", (_, bytes, machine, code, reason) => {
    const refusal = bzImageRefusal(read(bytes), machine);
    expect(refusal).toMatchObject({ stage: "probe", errno: "ENOEXEC", code });
    expect(refusal?.why).toMatch(reason);
  });

  test("load: the file ends inside the setup code", () => {
    const refusal = bzImageRefusal(read(makeBzImage().subarray(0, 2047)), five);
    expect(refusal).toMatchObject({ stage: "load", errno: "ENOEXEC", code: "kernel-truncated" });
  });

  test("where several fail, the first in the kernel's order is named", () => {
    const image = read(patched(makeBzImage(), [0x206, 2, 0x20b], [0x211, 1, 0], [0x236, 2, 0]));
    expect(bzImageRefusal(image, five)?.why).toMatch(/2\.11/);
  });

  test("a whole image passes, also under 5-level paging", () => {
    expect(bzImageRefusal(read(makeBzImage()), five)).toBeUndefined();
    expect(bzImageRefusal(read(patched(makeBzImage(), [0x236, 2, 3])), {})).toBeUndefined();
  });
});

test("protocol versions are written as the documentation does", () => {
  expect(protocolText(0x020f)).toBe("2.15");
});
