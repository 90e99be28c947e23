import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { type PeImage, readPe } from "../../../src/image/pe.ts";
import {
  ascii,
  makePe,
  patched,
  peCertificateEntry,
  peOptionalOffset,
  peSectionTable,
} from "./build.ts";

const sections = [
  { name: ".text", content: ascii("code") },
  { name: ".data\u001b", content: new Uint8Array(700) },
  { name: ".bss", content: new Uint8Array() },
];
const file = makePe(sections);

function read(bytes: Uint8Array): PeImage {
  const image = readPe(bytesOf(bytes));
  if (image?.kind !== "pe") throw new Error(`no PE file: ${JSON.stringify(image)}`);
  return image;
}

describe("facts", () => {
  test("of a PE32+ file", () => {
    expect(read(file)).toEqual({
      kind: "pe",
      machineNumber: 0x8664,
      machine: "x86_64",
      plus: true,
      headerSize: 512,
      checksumOffset: peOptionalOffset + 64,
      certificateEntryOffset: peCertificateEntry,
      certificateTable: undefined,
      sections: [
        { name: ".text", virtualAddress: 0x1000, virtualSize: 4, offset: 512, size: 512 },
        { name: ".data?", virtualAddress: 0x2000, virtualSize: 700, offset: 1024, size: 1024 },
        { name: ".bss", virtualAddress: 0x3000, virtualSize: 0, offset: 2048, size: 0 },
      ],
      fileSize: 2048,
    });
  });

  test.each([
    [0xaa64, "aarch64"],
    [0x014c, "i386"],
    [0x1234, undefined],
  ] as const)("machine %d", (number, machine) => {
    expect(read(patched(file, [68, 2, number]))).toMatchObject({ machineNumber: number, machine });
  });

  test("a certificate table is told even when it lies outside of the file", () => {
    const image = read(
      patched(file, [peCertificateEntry, 4, 9999], [peCertificateEntry + 4, 4, 7]),
    );
    expect(image.certificateTable).toEqual({ offset: 9999, size: 7 });
  });

  test("without room for the entry there is no certificate table", () => {
    // Four directories: the optional header ends before the certificate table's entry.
    const four = makePe([]);
    const short = patched(
      four,
      [peOptionalOffset - 4, 2, 112 + 4 * 8],
      [peOptionalOffset + 108, 4, 4],
      [peCertificateEntry, 8, 0x0001_0000_0001],
    );
    const longer = new Uint8Array(short.length + 1);
    longer.set(short);
    expect(read(longer)).toMatchObject({
      certificateEntryOffset: undefined,
      certificateTable: undefined,
    });
  });
});

describe("broken", () => {
  const second = peSectionTable + 40;
  test.each([
    ["cut in the COFF header", file.subarray(0, 70), "kernel-truncated", /COFF/],
    ["cut in the optional header", file.subarray(0, 200), "kernel-truncated", /optional header/],
    ["cut in the headers", file.subarray(0, 512), "kernel-truncated", /inside the headers/],
    ["cut in a section", file.subarray(0, 2047), "kernel-truncated", /section does not end/],
    ["neither PE32 nor PE32+", patched(file, [88, 2, 0x107]), "malformed-input", /neither/],
    ["no optional header", patched(file, [84, 2, 8]), "malformed-input", /too short/],
    ["too many directories", patched(file, [196, 4, 17]), "malformed-input", /data directories/],
    ["2^32 directories", patched(file, [196, 4, 0xffff_ffff]), "malformed-input", /directories/],
    ["65535 sections", patched(file, [70, 2, 0xffff]), "malformed-input", /section table/],
    ["no room for headers", patched(file, [148, 4, 0]), "malformed-input", /section table/],
    ["headers of 4 GiB", patched(file, [148, 4, 0xffff_ffff]), "kernel-truncated", /headers/],
    ["section in the headers", patched(file, [second + 20, 4, 511]), "malformed-input", /headers/],
    ["sections overlap", patched(file, [second + 20, 4, 1023]), "malformed-input", /overlap/],
    [
      "one inside another",
      patched(file, [second + 20, 4, 600], [second + 16, 4, 8]),
      "malformed-input",
      /overlap/,
    ],
    [
      "section of 4 GiB",
      patched(file, [second + 16, 4, 0xffff_ffff]),
      "kernel-truncated",
      /section/,
    ],
    [
      "section at 4 GiB",
      patched(file, [second + 20, 4, 0xffff_ffff]),
      "kernel-truncated",
      /section/,
    ],
  ] as const)("%s", (_, bytes, code, problem) => {
    const result = readPe(bytesOf(bytes));
    expect(result).toMatchObject({ kind: "broken", format: "PE file", code });
    expect(result?.kind === "broken" && result.why).toMatch(problem);
  });
});

test.each([
  ["empty", new Uint8Array()],
  ["MZ alone", ascii("MZ")],
  ["text that starts with MZ", ascii("MZ is how it starts. ".repeat(20))],
  ["PE header behind the file", patched(file, [60, 4, 0xffff_fff0])],
  ["PE signature one byte off", patched(file, [60, 4, 63])],
])("no PE file: %s", (_, bytes) => {
  expect(readPe(bytesOf(bytes))).toBeUndefined();
});
