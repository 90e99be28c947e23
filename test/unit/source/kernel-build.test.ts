import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bytesOf } from "../../../src/image/bytes.ts";
import { encodeArchive } from "../../../src/initramfs/cpio.ts";
import { configBeside, releaseOf } from "../../../src/source/build/config.ts";
import { archivedModules } from "../../../src/source/build/modules.ts";
import { searchKernel } from "../../../src/source/build/text.ts";
import type { KernelImage } from "../../../src/source/kernel.ts";
import { ascii, concat } from "../image/build.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-build-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** A bzImage with this payload, as far as a search looks. */
function kernelWith(payload: Uint8Array, version = "6.12.0-x (a@b) #1"): KernelImage {
  return {
    image: { kind: "bzimage", payload: { offset: 16, length: payload.length }, cutShort: false },
    version,
  } as unknown as KernelImage;
}

describe("a kernel's texts", () => {
  const content = concat(
    new Uint8Array(200_000),
    ascii("efifb: probing for efifb"),
    new Uint8Array(9),
  );
  const packed: [string, Uint8Array][] = [
    ["gzip", Bun.gzipSync(Uint8Array.from(content))],
    ["zstd", Bun.zstdCompressSync(Uint8Array.from(content))],
  ];
  test.each(packed)("%s, as the kernel's own build leaves it", async (name, payload) => {
    const sized = name === "gzip" ? payload : concat(payload, new Uint8Array([1, 2, 3, 0]));
    const file = bytesOf(concat(new Uint8Array(16), sized));
    const search = await searchKernel(kernelWith(sized), file, ["efifb: probing for efifb", "x86"]);
    expect([...(search?.found ?? [])]).toEqual(["efifb: probing for efifb"]);
    expect(search?.size).toBe(content.length);
  });

  test("what is damaged, or packed otherwise, neither hangs nor throws", async () => {
    const [, payload] = packed[0] ?? ["", new Uint8Array()];
    for (const bytes of [
      payload.subarray(0, 20),
      concat(Uint8Array.of(0x1f, 0x8b), ascii("\x08junk")),
      concat(Uint8Array.of(0xfd), ascii("7zXZ\0")),
      ascii(""),
    ]) {
      const file = bytesOf(concat(new Uint8Array(16), bytes));
      const search = await searchKernel(kernelWith(bytes), file, ["x"]);
      expect(search?.found.size ?? 0).toBe(0);
    }
  });
});

test("the configuration beside an image, by its release", () => {
  writeFileSync(join(folder, "config-6.12.0-x"), "CONFIG_A=y\n");
  writeFileSync(join(folder, "config-6.12.0-y"), "no configuration\n");
  const beside = (version: string) =>
    configBeside(kernelWith(new Uint8Array(), version), join(folder, "vmlinuz"));
  expect(beside("6.12.0-x (a@b) #1")).toBe("CONFIG_A=y");
  expect(beside("6.12.0-y (a@b)")).toBeUndefined();
  for (const version of ["../../etc/passwd", "6.12/../x", "", "x"]) {
    expect(releaseOf({ version })).toBeUndefined();
  }
});

test("modules in an initramfs", async () => {
  const archive = (...paths: string[]) =>
    encodeArchive(
      paths.map((path) => ({ type: "file", path, data: new Uint8Array(5000) }) as const),
    );
  const modules = archive(
    "lib/modules/6.1/kernel/drivers/bochs.ko.xz",
    "lib/modules/6.1/virtio_gpu.ko",
  );
  const early = archive("kernel/x86/microcode/A.bin");
  const look = async (bytes: Uint8Array) => {
    const has = await archivedModules([bytesOf(bytes)], ["bochs", "virtio-gpu", "amdgpu"]);
    return ["bochs", "virtio-gpu", "amdgpu"].map((name) => has(name));
  };
  expect(await look(modules)).toEqual([true, true, false]);
  for (const pack of [Bun.gzipSync, Bun.zstdCompressSync]) {
    const packed = pack(Uint8Array.from(modules));
    expect(await look(packed)).toEqual([true, true, false]);
    expect(await look(concat(early, packed))).toEqual([true, true, false]);
    // What follows was not seen.
    expect(await look(concat(packed, ascii("more")))).not.toContain(false);
  }
  expect(await look(concat(Uint8Array.of(0xfd), ascii("7zXZ\0not unpacked here")))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
  expect((await archivedModules([], ["bochs"]))("bochs")).toBe(false);
});
