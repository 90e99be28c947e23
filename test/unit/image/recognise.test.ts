import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { recogniseImage } from "../../../src/image/recognise.ts";
import {
  ascii,
  concat,
  makeArm64,
  makeBzImage,
  makePe,
  makeZboot,
  meteredSource,
  patched,
} from "./build.ts";

const recognise = (bytes: Uint8Array) => recogniseImage(bytesOf(bytes));
const uki = makePe([
  { name: ".cmdline", content: ascii("quiet") },
  { name: ".linux", content: ascii("kernel") },
]);
const program = makePe([{ name: ".text", content: ascii("code") }]);

/** The program's PE headers with a kernel's magic in their padding: an EFI stub. */
function stubbed(magic: string, offset: number): Uint8Array {
  const file = Uint8Array.from(makePe([{ name: ".text", content: new Uint8Array(4096) }]));
  file.set(ascii(magic), offset);
  return file;
}

describe("kinds", () => {
  test.each([
    ["bzimage", makeBzImage()],
    ["arm64-image", makeArm64()],
    ["zboot", makeZboot(Bun.gzipSync("kernel"))],
    ["uki", uki],
    ["pe", program],
    ["compressed", Bun.zstdCompressSync("kernel")],
    ["elf", concat(Uint8Array.of(0x7f), ascii("ELF"))],
    ["broken", makeBzImage().subarray(0, 700)],
    ["broken", uki.subarray(0, uki.length - 1)],
    ["broken", makeZboot(new Uint8Array())],
  ] as const)("%s", (kind, bytes) => {
    expect(recognise(bytes).kind).toBe(kind);
  });

  test.each([
    ["empty", new Uint8Array()],
    ["text", ascii("#!/bin/sh\necho é\n")],
    ["zeros", new Uint8Array(9000)],
    ["initramfs", ascii(`070701${"0".repeat(104)}`)],
    [undefined, Uint8Array.of(1, 2, 3)],
  ] as const)("unknown, and resembles %s", (resembles, bytes) => {
    expect(recognise(bytes)).toEqual({ kind: "unknown", resembles });
  });
});

describe("a kernel that is a PE file too", () => {
  test("gives the facts of both", () => {
    // Offset 0x3c of the DOS header points to the PE header, at 64 as in makePe.
    const kernel = patched(stubbed("HdrS", 0x202), [0x206, 2, 0x020f]);
    const facts = recognise(kernel);
    expect(facts).toMatchObject({ kind: "bzimage", pe: { kind: "pe", machine: "x86_64" } });
  });

  test("stays a kernel when its PE headers are broken", () => {
    const kernel = patched(stubbed("HdrS", 0x202), [0x206, 2, 0x020f], [70, 2, 0xffff]);
    expect(recognise(kernel)).toMatchObject({
      kind: "bzimage",
      pe: { kind: "broken" },
    });
  });

  test("has none of them without an EFI stub", () => {
    expect(recognise(makeBzImage())).toMatchObject({ pe: undefined });
  });
});

test("an ELF file tells its machine", () => {
  const header = patched(new Uint8Array(64), [18, 2, 183]);
  header.set(concat(Uint8Array.of(0x7f), ascii("ELF")));
  expect(recognise(header)).toEqual({ kind: "elf", machine: "aarch64" });
});

test.each([
  ["bzImage", makeBzImage()],
  ["arm64 Image", makeArm64()],
  ["zboot", makeZboot(Bun.gzipSync("kernel"))],
  ["UKI", uki],
  ["gzip", Bun.gzipSync("kernel")],
  ["unknown", Uint8Array.of(1, 2, 3)],
] as const)("%s: 1 GiB costs what 10 MiB do", (_, start) => {
  const small = meteredSource(start, 10 * 2 ** 20);
  const large = meteredSource(start, 2 ** 30);
  expect(recogniseImage(large).kind).toBe(recogniseImage(small).kind);
  expect(large.bytesRead).toBe(small.bytesRead);
  expect(large.bytesRead).toBeLessThan(64 * 1024);
});
