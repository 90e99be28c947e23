import { expect, test } from "bun:test";
import { configOption, KernelSearch } from "../../../src/image/content/kernel-search.ts";
import { ascii, concat } from "./build.ts";

const config = "CONFIG_A=y\nCONFIG_B=m\n# CONFIG_C is not set\n";
const packed = Bun.gzipSync(Uint8Array.from(ascii(config)));
const kernel = concat(
  new Uint8Array(1000),
  ascii("simple-framebuffer\0IKCFG_ST and not a stream IKCFG_ED"),
  new Uint8Array(500),
  ascii("IKCFG_ST"),
  packed,
  ascii("IKCFG_ED"),
  ascii("efifb: "),
);

/** Looked through in pieces of so many bytes. */
function search(bytes: Uint8Array, size: number, texts: readonly string[] = []): KernelSearch {
  const result = new KernelSearch(texts);
  for (let at = 0; at < bytes.length; at += size) result.push(bytes.subarray(at, at + size));
  return result;
}

test.each([1, 7, 64, 1024, 1 << 20])("texts and configuration, in pieces of %i", (size) => {
  const {
    found,
    config: seen,
    size: looked,
  } = search(kernel, size, ["simple-framebuffer", "efifb: ", "vesafb: "]);
  expect([...found]).toEqual(["simple-framebuffer", "efifb: "]);
  expect(seen).toBe(config);
  expect(looked).toBe(kernel.length);
});

test("marks that nothing ends, and what is no stream, are none", () => {
  for (const bytes of [
    ascii("IKCFG_ST"),
    concat(ascii("IKCFG_ST"), packed),
    concat(ascii("IKCFG_ST"), packed.subarray(0, 20), ascii("IKCFG_ED")),
    concat(ascii("IKCFG_ST"), new Uint8Array(3 << 20), ascii("IKCFG_ED")),
    new Uint8Array(),
  ]) {
    expect(search(bytes, 1 << 19).config).toBeUndefined();
  }
});

test("options", () => {
  expect(["A", "B", "C", "D"].map((option) => configOption(config, option)).join("")).toBe("ymnn");
});
