import { describe, expect, test } from "bun:test";
import { pages } from "../../build/elf.ts";
import { mountProcFirst } from "../../build/first-process.ts";
import { needing } from "../needs.ts";
import { assembled, assemblers, sources } from "./assembly.ts";

// elf(5), ELF64: two program headers, a segment and a note
function binary(types = [1, 4]): Uint8Array {
  const file = new Uint8Array(0x200);
  const view = new DataView(file.buffer);
  view.setBigUint64(0x18, 0x201000n, true);
  view.setBigUint64(0x20, 64n, true);
  view.setUint16(0x36, 56, true);
  view.setUint16(0x38, types.length, true);
  for (const [index, type] of types.entries()) {
    const at = 64 + index * 56;
    view.setUint32(at, type, true);
    view.setBigUint64(at + 16, 0x200000n, true);
    view.setBigUint64(at + 24, 0x200000n, true);
    view.setBigUint64(at + 32, 0x200n, true);
    view.setBigUint64(at + 40, 0x12345n, true);
  }
  return file;
}

test.each(["x64", "arm64"] as const)("on %s the entry point moves behind all segments", (name) => {
  const before = binary();
  const after = mountProcFirst(before, name);
  const view = new DataView(after.buffer);
  const entry = view.getBigUint64(0x18, true);
  const note = 64 + 56;
  const page = pages[name];
  expect(entry).toBe(BigInt(Math.ceil(0x212345 / page) * page));
  expect(view.getUint32(note, true)).toBe(1);
  expect(view.getUint32(note + 4, true)).toBe(5);
  expect(view.getBigUint64(note + 8, true)).toBe(BigInt(page));
  expect(view.getBigUint64(note + 16, true)).toBe(entry);
  expect(view.getBigUint64(note + 32, true)).toBe(BigInt(after.length - page));
  expect(view.getBigUint64(note + 40, true)).toBe(BigInt(after.length - page));
  // The old entry point is the last word, behind the path.
  expect(view.getBigUint64(after.length - 8, true)).toBe(0x201000n);
  expect(new TextDecoder().decode(after.subarray(-16, -8))).toBe("/proc\0\0\0");
  expect(after.slice(0x40, 64 + 56)).toEqual(before.slice(0x40, 64 + 56));
});

test.each([[[1]], [[4, 1]], [[4]], [[]]])("headers %j are refused", (types) => {
  expect(() => mountProcFirst(binary(types), "x64")).toThrow(
    "no PT_NOTE header behind its segments",
  );
});

describe.each(["x64", "arm64"] as const)("on %s", (name) => {
  needing(...assemblers(name)).test("the assembler makes the same bytes", async () => {
    const code = mountProcFirst(binary(), name).slice(pages[name]);
    const expected = await assembled(name, sources[name]);
    expect(Buffer.from(code).toString("hex")).toBe(expected.toString("hex"));
  });
});

needing("cc", "/lib64/ld-linux-x86-64.so.2").test(
  "a binary goes on as before where its process id is not 1",
  async () => {
    const folder = (await Bun.$`mktemp -d`.text()).trim();
    try {
      await Bun.write(`${folder}/x.c`, "int main(int c, char **v) { return c == 3 ? 42 : 1; }\n");
      // Without position independence, as the runtime is; the note comes last there as well.
      const built = await Bun.$`cc -no-pie -o ${folder}/x ${folder}/x.c`.nothrow().quiet();
      expect(built.exitCode).toBe(0);
      const file = await Bun.file(`${folder}/x`).bytes();
      await Bun.write(`${folder}/y`, mountProcFirst(file, "x64"), { mode: 0o755 });
      await Bun.$`chmod 755 ${folder}/y`;
      const run = await Bun.$`${folder}/y a b`.nothrow().quiet();
      expect(run.exitCode).toBe(42);
    } finally {
      await Bun.$`rm -rf ${folder}`;
    }
  },
);
