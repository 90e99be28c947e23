/** The shape of the house: imports go down, one file touches libc, pure rooms do no I/O. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

const root = join(import.meta.dir, "..", "..", "src");
/** From the top floor down; a room imports from itself and from those behind it. */
const floors = [
  "main.ts",
  "index.ts",
  "cli",
  "handoff",
  "diagnosis",
  "machine",
  "source",
  "menu",
  "trust",
  "initramfs",
  "image",
  "linux",
  "architecture.ts",
  "errno.ts",
  "causes.ts",
  "listener.ts",
  "kernel-words.ts",
  "thrown.ts",
  "version.ts",
  "errors.ts",
];
const pure = ["diagnosis", "menu", "trust", "initramfs", "image"];

const files = [...new Bun.Glob("**/*.ts").scanSync({ cwd: root })].sort();
const floorOf = (path: string) => floors.indexOf(path.split("/")[0] ?? "");

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), "utf8");
  return [...text.matchAll(/(?:from|import\()\s*"([^"]+)"/g)].map(([, name = ""]) => name);
}

/** Files of this project that `path` imports, relative to src. */
function ownImports(path: string): string[] {
  return importsOf(path)
    .filter((name) => name.startsWith("."))
    .map((name) => relative(root, join(root, dirname(path), name)))
    .filter((name) => !name.startsWith(".."));
}

test("every file is in a known room", () => {
  expect(files.length).toBeGreaterThan(100);
  expect(files.filter((path) => floorOf(path) < 0)).toEqual([]);
});

test("imports go down, never up", () => {
  const up = files.flatMap((path) =>
    ownImports(path)
      .filter((other) => floorOf(other) < floorOf(path))
      .map((other) => `${path} -> ${other}`),
  );
  expect(up).toEqual([]);
});

test("no two files import each other", () => {
  const known = new Map(files.map((path) => [path, ownImports(path)]));
  const both = files.flatMap((path) =>
    (known.get(path) ?? [])
      .filter((other) => path < other && known.get(other)?.includes(path))
      .map((other) => `${path} <-> ${other}`),
  );
  expect(both).toEqual([]);
});

test("one file imports bun:ffi", () => {
  expect(files.filter((path) => importsOf(path).includes("bun:ffi"))).toEqual(["linux/libc.ts"]);
});

test("kexec_load(2) is called nowhere", () => {
  const calls = files.filter((path) => /"kexec_load"/.test(readFileSync(join(root, path), "utf8")));
  expect(calls).toEqual([]);
});

test("pure rooms do no I/O", () => {
  const impure = files
    .filter((path) => pure.includes(path.split("/")[0] ?? ""))
    .filter((path) => {
      const text = readFileSync(join(root, path), "utf8");
      const reaches = ownImports(path).some((other) => other.startsWith("linux/"));
      const builtin = importsOf(path).some((name) => name.startsWith("node:") || name === "bun");
      return (
        reaches ||
        builtin ||
        /\bBun\.(file|write|spawn)|\bprocess\.(env|stdin)|\bfetch\(/.test(text)
      );
    });
  expect(impure).toEqual([]);
});

test("no check is switched off", () => {
  const off = files.filter((path) =>
    /@ts-(ignore|expect-error|nocheck)|biome-ignore|: any(?=[;,)\]>]| =)|\bas any\b/.test(
      readFileSync(join(root, path), "utf8"),
    ),
  );
  expect(off).toEqual([]);
});
