import { expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readZboot } from "../../../src/image/zboot.ts";
import { ascii, makePe, makeZboot, patched } from "./build.ts";

const payload = Bun.gzipSync("a kernel");
const image = makeZboot(payload);

test("facts", () => {
  expect(readZboot(bytesOf(image))).toEqual({
    kind: "zboot",
    payload: { offset: 0x80, length: payload.length },
    method: "gzip",
    compression: "gzip",
    fileSize: image.length,
  });
});

test("what the header calls the method and what the payload is are both told", () => {
  const odd = makeZboot(Bun.zstdCompressSync("a kernel"), "xzkern\u001b[2J");
  expect(readZboot(bytesOf(odd))).toMatchObject({ method: "xzkern[2J", compression: "zstd" });
  expect(readZboot(bytesOf(makeZboot(ascii("plain"))))).toMatchObject({ compression: undefined });
});

test.each([
  ["empty payload", patched(image, [12, 4, 0]), "malformed-input"],
  ["payload in the header", patched(image, [8, 4, 0x3f]), "malformed-input"],
  ["payload one byte too long", patched(image, [12, 4, payload.length + 1]), "kernel-truncated"],
  ["payload of 4 GiB", patched(image, [12, 4, 0xffff_ffff]), "kernel-truncated"],
  ["payload behind the file", patched(image, [8, 4, 0xffff_ffff]), "kernel-truncated"],
  ["half a header", image.subarray(0, 0x3f), "kernel-truncated"],
] as const)("broken: %s", (_, bytes, code) => {
  expect(readZboot(bytesOf(bytes))).toMatchObject({ kind: "broken", code });
});

test("another PE file is no zboot image", () => {
  const other = makePe([{ name: ".text", content: ascii("x") }]);
  expect(readZboot(bytesOf(other))).toBeUndefined();
  expect(readZboot(bytesOf(image.subarray(0, 7)))).toBeUndefined();
});
