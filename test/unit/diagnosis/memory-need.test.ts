import { expect, test } from "bun:test";
import { type MemoryNeed, requireMemory } from "../../../src/diagnosis/memory-need.ts";
import { KexecError } from "../../../src/errors.ts";
import { known, unknown } from "../../../src/machine/reading.ts";

const mebibyte = 1 << 20;

function refusal(need: MemoryNeed, total: number, available: number): string | undefined {
  const memory = {
    total: known(total * mebibyte),
    available: known(available * mebibyte),
    swapFree: known(0),
    swappable: known(300 * mebibyte),
  };
  try {
    requireMemory(need, memory);
    return undefined;
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    expect(error.exit).toBe(9);
    return `${error.code}: ${error.message}`;
  }
}

test("kernel and initramfs twice, and what is joined once more", () => {
  const need = { kernel: 10 * mebibyte, initrd: 50 * mebibyte, copied: 0 };
  expect(refusal(need, 512, 120)).toBeUndefined();
  expect(refusal(need, 512, 119)).toBe(
    "out-of-memory: cannot load: it takes 120.0 MiB of memory, and 119.0 MiB are available",
  );
  const joined = { ...need, copied: 50 * mebibyte };
  expect(refusal(joined, 512, 170)).toBeUndefined();
  expect(refusal(joined, 512, 169)).toStartWith("out-of-memory: ");
});

test("no file over 4 GiB, whatever memory there is, nor where that is not known", () => {
  const none = unknown("no /proc");
  const memory = { total: none, available: none, swapFree: none, swappable: none };
  const sizes = { kernel: 0, initrd: 0, copied: 0 };
  for (const part of ["kernel", "initrd"] as const) {
    requireMemory({ ...sizes, [part]: 2 ** 32 }, memory);
    const size = 2 ** 32 + 1;
    expect(() => requireMemory({ ...sizes, [part]: size }, memory)).toThrow(
      expect.objectContaining({
        code: "file-too-large",
        exit: 4,
        details: { size, limit: 2 ** 32 },
      }),
    );
  }
});

test("nothing over half of all memory, whatever is free", () => {
  const need = { kernel: mebibyte, initrd: 256 * mebibyte, copied: 0 };
  expect(refusal(need, 512, 4096)).toBeUndefined();
  expect(refusal({ ...need, initrd: need.initrd + 1 }, 512, 4096)).toStartWith("no-room: ");
});

test("what cannot be read refuses nothing", () => {
  const none = unknown("no /proc");
  const memory = { total: none, available: none, swapFree: none, swappable: none };
  requireMemory({ kernel: 4e9, initrd: 4e9, copied: 1e12 }, memory);
});

test("free swap counts as far as it can take the pages of others, and that is said", () => {
  const need = { kernel: 6 * mebibyte, initrd: 150 * mebibyte, copied: 0 };
  const within = (swapFree: number, swappable: number) => {
    const [total, available] = [known(512 * mebibyte), known(128 * mebibyte)];
    const swap = { swapFree: known(swapFree * mebibyte), swappable: known(swappable * mebibyte) };
    return requireMemory(need, { total, available, ...swap });
  };
  expect(within(900, 200)).toBe(
    "it takes 312.0 MiB of memory, and 128.0 MiB are available: 200.0 MiB of other programs may have to go to the swap first",
  );
  expect(() => within(900, 183)).toThrow("it takes 312.0 MiB of memory");
  expect(() => within(0, 300)).toThrow("it takes 312.0 MiB of memory");
});
