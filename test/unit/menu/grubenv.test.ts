import { describe, expect, test } from "bun:test";
import { readGrubenv, writeGrubenv } from "../../../src/menu/grubenv.ts";
import { mutate, seeded } from "../fuzz.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const block = (lines: string, size = 1024) =>
  bytes(`# GRUB Environment Block\n${lines}`.padEnd(size, "#"));

function read(block: Uint8Array): Record<string, string> {
  const variables = readGrubenv(block);
  if ("why" in variables) throw new Error(variables.why);
  return Object.fromEntries(variables);
}

function write(before: Uint8Array, changes: Record<string, string | undefined>): Uint8Array {
  const after = writeGrubenv(before, new Map(Object.entries(changes)));
  if ("why" in after) throw new Error(after.why);
  return after;
}

describe("reads", () => {
  test("variables in their order, values with equals signs, and empty ones", () => {
    const fedora = block(
      "saved_entry=6a98-5.18.0\nkernelopts=root=UUID=d0be5cb9 ro\nnext_entry=\nboot_success=0\n",
    );
    expect(read(fedora)).toEqual({
      saved_entry: "6a98-5.18.0",
      kernelopts: "root=UUID=d0be5cb9 ro",
      next_entry: "",
      boot_success: "0",
    });
  });

  test("escaped backslashes and line feeds, comments, and UTF-8", () => {
    expect(read(block("# WARNING: do not edit\na=x\\\\y\\\nz=1\nb=é\n"))).toEqual({
      a: "x\\y\nz=1",
      b: "é",
    });
  });

  test("nothing behind a line that has no end", () => {
    expect(read(bytes("# GRUB Environment Block\na=1\nb=2"))).toEqual({ a: "1" });
  });

  test("nothing of a file without the signature, or of one too large", () => {
    expect(readGrubenv(bytes("a=1\n"))).toHaveProperty("why");
    expect(readGrubenv(block("a=1\n", 70_000))).toHaveProperty("why");
  });
});

describe("writes", () => {
  test("as save_env: in place, the same size, the rest as it was", () => {
    const before = block("a=1\nnext_entry=1>2\nb=3\n");
    const after = write(before, { next_entry: "" });
    expect(new TextDecoder().decode(after)).toBe(
      "# GRUB Environment Block\na=1\nnext_entry=\nb=3\n".padEnd(1024, "#"),
    );
  });

  test("a longer value, a new variable and an escaped one", () => {
    const after = write(block("a=1\n"), { a: "longer", recordfail: "1", c: "x\\y\nz" });
    expect(after).toHaveLength(1024);
    expect(read(after)).toEqual({ a: "longer", recordfail: "1", c: "x\\y\nz" });
  });

  test("takes out what has no value any more", () => {
    expect(read(write(block("a=1\nb=2\n"), { a: undefined, never: undefined }))).toEqual({
      b: "2",
    });
  });

  test("nothing where there is no room", () => {
    const full = block("a=1\n", "# GRUB Environment Block\na=1\n".length);
    expect(writeGrubenv(full, new Map([["b", "2"]]))).toHaveProperty("why", "it has no room for b");
  });

  test("bytes that are not UTF-8 stay", () => {
    const before = block("a=1\nb=2\n");
    before[before.indexOf(0x32)] = 0xe9;
    const after = write(before, { a: "22" });
    expect(after[after.indexOf(0x62) + 2]).toBe(0xe9);
  });
});

test("damaged blocks never throw, and what is written reads the same", () => {
  const random = seeded(19);
  const start = block("saved_entry=a>b\nkernelopts=root=UUID=1 ro\\\\x\nb=\n", 256);
  for (let round = 0; round < 3000; round += 1) {
    const damaged = mutate(start, random);
    const before = readGrubenv(damaged);
    const after = writeGrubenv(damaged, new Map([["next_entry", ""]]));
    if ("why" in before || "why" in after) continue;
    expect(after).toHaveLength(damaged.length);
    expect(readGrubenv(after)).toBeInstanceOf(Map);
  }
});
