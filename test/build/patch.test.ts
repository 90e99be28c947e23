import { describe, expect, test } from "bun:test";
import { closeDoors, doorNames } from "../../build/doors.ts";
import { dropSectionTable } from "../../build/elf.ts";

const code = {
  x64: Buffer.from("41803e4275e941807e015575e241807e024e", "hex"),
  arm64: Buffer.from("090140393f09017101ffff54090540393f550171", "hex"),
};

/** What closeDoors looks for, and nothing else of a runtime. */
function runtime(architecture: "x64" | "arm64", names = doorNames(architecture)): Buffer {
  return Buffer.concat([
    Buffer.from(`MZ\0${names.map((name) => `${name}\0`).join("")}`, "latin1"),
    code[architecture],
    Buffer.from("\0BUN_BE_BUNNY\0MY_BUN_OPTIONS\0", "latin1"),
  ]);
}

describe.each(["x64", "arm64"] as const)("closeDoors on %s", (architecture) => {
  test("empties each name, changes one byte of code, and nothing else", () => {
    const before = runtime(architecture);
    const after = Buffer.from(before);
    closeDoors(after, architecture);

    const changed = [...before.keys()].filter((i) => before[i] !== after[i]);
    expect(after.length).toBe(before.length);
    expect(changed.length).toBe(doorNames(architecture).length + 1);
    for (const name of doorNames(architecture)) {
      const at = before.indexOf(`\0${name}\0`) + 1;
      expect(after[at]).toBe(0);
      expect(after.toString("latin1", at + 1, at + name.length)).toBe(name.slice(1));
    }
  });

  test.each(doorNames(architecture))("refuses a runtime without %s", (name) => {
    const others = doorNames(architecture).filter((one) => one !== name);
    expect(() => closeDoors(runtime(architecture, others), architecture)).toThrow(
      `${name} is not in this runtime`,
    );
  });

  test("refuses a runtime that has a name twice", () => {
    const twice = Buffer.concat([runtime(architecture), Buffer.from("\0BUN_BE_BUN\0")]);
    expect(() => closeDoors(twice, architecture)).toThrow(
      "BUN_BE_BUN is in this runtime more than once",
    );
  });

  test("refuses a runtime whose comparison with BUN_JSC_ is compiled differently", () => {
    const file = runtime(architecture);
    const at = file.indexOf(code[architecture]);
    file[at] = 0x90;
    expect(() => closeDoors(file, architecture)).toThrow("BUN_JSC_ is not in this runtime");
  });
});

describe("dropSectionTable", () => {
  const header = () => {
    const file = Buffer.alloc(80, 0xee);
    file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
    return file;
  };

  test("zeroes e_shoff, e_shentsize, e_shnum and e_shstrndx only", () => {
    const before = header();
    const after = header();
    dropSectionTable(after);
    const changed = [...before.keys()].filter((i) => before[i] !== after[i]);
    expect(changed).toEqual([
      0x28, 0x29, 0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x3a, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f,
    ]);
    expect(changed.every((i) => after[i] === 0)).toBe(true);
  });

  test.each([
    ["empty", Buffer.alloc(0)],
    ["shorter than a header", header().subarray(0, 63)],
    ["32-bit", Buffer.from(header().fill(1, 4, 5))],
    ["big endian", Buffer.from(header().fill(2, 5, 6))],
    ["no ELF", Buffer.alloc(80)],
  ])("refuses a file that is %s", (_, file) => {
    expect(() => dropSectionTable(file)).toThrow("not a little-endian 64-bit ELF file");
  });
});
