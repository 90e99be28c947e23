import { describe, expect, test } from "bun:test";
import { bytesOf } from "../../../src/image/bytes.ts";
import { readPe } from "../../../src/image/pe.ts";
import { hasProfile, readUki, readUkiText, type Uki, ukiSection } from "../../../src/image/uki.ts";
import { processorTime } from "../fuzz.ts";
import { ascii, makePe, patched, peSectionTable, type SectionPlan } from "./build.ts";

function section(name: string, content: string): SectionPlan {
  return { name, content: ascii(content) };
}

function parse(file: Uint8Array) {
  const source = bytesOf(file);
  const pe = readPe(source);
  if (pe?.kind !== "pe") throw new Error(`no PE file: ${JSON.stringify(pe)}`);
  return readUki(source, pe);
}

function read(file: Uint8Array): Uki {
  const uki = parse(file);
  if (uki?.kind !== "uki") throw new Error(`no UKI: ${JSON.stringify(uki)}`);
  return uki;
}

/** The text of a section as that profile boots with it. */
function text(file: Uint8Array, name: string, profile?: number) {
  const found = ukiSection(read(file), name, profile);
  return found && readUkiText(bytesOf(file), found, 4096);
}

const plain = makePe([
  section(".text", "the stub"),
  section(".osrel", "ID=test\n"),
  section(".cmdline", "root=LABEL=A quiet\n\0"),
  section(".initrd", "initramfs"),
  section(".linux", "kernel"),
]);

const profiles = makePe([
  section(".osrel", "ID=test\n"),
  section(".cmdline", "base"),
  section(".linux", "kernel"),
  section(".profile", "ID=main\n"),
  section(".profile", 'ID=debug\nTITLE="Debug \u001b[31mshell"\n'),
  section(".cmdline", "debug"),
  section(".ucode", "microcode"),
  section(".profile", "TITLE='Factory reset'"),
  section(".cmdline", "reset"),
  section(".linux", "another kernel"),
]);

describe("without profiles", () => {
  test("sections by name, without their padding", () => {
    expect(text(plain, ".cmdline")).toBe("root=LABEL=A quiet");
    expect(ukiSection(read(plain), ".linux")?.size).toBe(6);
    expect(text(plain, ".linux")).toBe("kernel");
    expect(text(plain, ".ucode")).toBeUndefined();
    expect(read(plain).profiles).toEqual([]);
  });

  test("profile 0 is the only one", () => {
    expect(hasProfile(read(plain), 0)).toBe(true);
    expect(hasProfile(read(plain), 1)).toBe(false);
    expect(hasProfile(read(plain), -1)).toBe(false);
    expect(hasProfile(read(plain), 0.5)).toBe(false);
  });

  test("of two sections of one name the first counts", () => {
    const twice = makePe([section(".linux", "first"), section(".linux", "second")]);
    expect(text(twice, ".linux")).toBe("first");
  });

  test("an empty section is as good as none", () => {
    const empty = makePe([section(".cmdline", ""), section(".linux", "kernel")]);
    expect(ukiSection(read(empty), ".cmdline")).toBeUndefined();
  });
});

describe("with profiles", () => {
  test("their names, without terminal codes", () => {
    expect(read(profiles).profiles.map(({ id, title }) => [id, title])).toEqual([
      ["main", undefined],
      ["debug", "Debug [31mshell"],
      [undefined, "Factory reset"],
    ]);
  });

  test.each([
    [0, "base", "kernel", undefined],
    [1, "debug", "kernel", "microcode"],
    [2, "reset", "another kernel", undefined],
  ])("profile %d overrides and extends the base", (profile, cmdline, linux, ucode) => {
    expect(text(profiles, ".cmdline", profile)).toBe(cmdline);
    expect(text(profiles, ".linux", profile)).toBe(linux);
    expect(text(profiles, ".ucode", profile)).toBe(ucode);
    expect(text(profiles, ".osrel", profile)).toBe("ID=test");
    expect(hasProfile(read(profiles), profile)).toBe(true);
  });

  test("there is no fourth", () => {
    expect(hasProfile(read(profiles), 3)).toBe(false);
  });

  test("the default profile needs a kernel", () => {
    const late = makePe([
      section(".profile", "ID=a"),
      section(".profile", "ID=b"),
      section(".linux", "kernel"),
    ]);
    expect(parse(late)).toMatchObject({
      kind: "broken",
      why: expect.stringMatching(/\.linux/),
    });
  });
});

test("a PE file without .linux is no UKI", () => {
  expect(parse(makePe([section(".text", "a program")]))).toBeUndefined();
});

test("texts are bounded and UTF-8", () => {
  const source = bytesOf(plain);
  const cmdline = ukiSection(read(plain), ".cmdline");
  if (cmdline === undefined) throw new Error("no .cmdline");
  expect(readUkiText(source, cmdline, 5)).toMatchObject({ kind: "broken" });
  const invalid = patched(plain, [cmdline.offset, 1, 0xff]);
  expect(readUkiText(bytesOf(invalid), cmdline, 4096)).toMatchObject({ kind: "broken" });
  const outside = { ...cmdline, offset: plain.length };
  expect(readUkiText(source, outside, 4096)).toMatchObject({ kind: "broken" });
});

test("a size in memory that is larger than in the file adds nothing", () => {
  const grown = patched(plain, [peSectionTable + 4 * 40 + 8, 4, 0xffff_ffff]);
  expect(ukiSection(read(grown), ".linux")?.size).toBe(512);
});

test("thousands of sections are refused", () => {
  const many = makePe([section(".linux", "k"), ...Array(1024).fill(section(".x", ""))]);
  expect(readPe(bytesOf(many))).toMatchObject({ kind: "broken" });
});

test("a name with another byte in it is another name", () => {
  for (const name of [".li\x01nux", ".linux\x7f", "\x80.linux", ".linu\xf8"]) {
    expect(parse(makePe([section(name, "k")]))).toBeUndefined();
  }
});

test("profiles are read as far as any UKI needs, and a million blanks in a moment", () => {
  const large = Array(20).fill(section(".profile", "x".repeat(16_000)));
  expect(parse(makePe([section(".linux", "k"), ...large]))).toMatchObject({ kind: "broken" });
  const blanks = makePe([section(".osrel", `a${"\0".repeat(1 << 20)}b${"\0".repeat(1 << 20)}`)]);
  const pe = readPe(bytesOf(blanks));
  const osrel = pe?.kind === "pe" ? pe.sections[0] : undefined;
  if (osrel === undefined) throw new Error("no section");
  const start = processorTime();
  expect(readUkiText(bytesOf(blanks), osrel, 4 << 20)).toHaveLength((1 << 20) + 2);
  // Linear it is some 50 ms; quadratic it was minutes.
  expect(processorTime() - start).toBeLessThan(2000);
});

test("a text of blanks is read in a time that grows as its length", () => {
  const text = `${" ".repeat(60_000)}x${"\0 ".repeat(2000)}`;
  const pe = makePe([section(".osrel", text), section(".linux", "k")]);
  const osRelease = ukiSection(read(pe), ".osrel");
  if (osRelease === undefined) throw new Error("no .osrel");
  const begin = processorTime();
  expect(readUkiText(bytesOf(pe), osRelease, 1 << 20)).toBe(`${" ".repeat(60_000)}x`);
  expect(processorTime() - begin).toBeLessThan(200);
});
