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
  "edit-distance.ts",
  "kernel-words.ts",
  "kernel-release.ts",
  "name-bytes.ts",
  "thrown.ts",
  "version.ts",
  "visible.ts",
  "errors.ts",
  "remedies",
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

test("no circle of imports, types and what is loaded on demand included", () => {
  const known = new Map(files.map((path) => [path, ownImports(path)]));
  const done = new Set<string>();
  const circleFrom = (path: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const other of known.get(path) ?? []) {
      const circle = circleFrom(other, [...way, path]);
      if (circle !== undefined) return circle;
    }
    done.add(path);
    return undefined;
  };
  const circles = files.flatMap((path) => circleFrom(path, [])?.join(" -> ") ?? []);
  expect(circles).toEqual([]);
});

test("no folder has more than 20 files of its own, and no file more than 300 lines", () => {
  const counts = new Map<string, number>();
  for (const path of files) counts.set(dirname(path), (counts.get(dirname(path)) ?? 0) + 1);
  expect([...counts].filter(([, count]) => count > 20)).toEqual([]);
  const lines = (path: string) => readFileSync(join(root, path), "utf8").split("\n").length - 1;
  expect(files.filter((path) => lines(path) > 300)).toEqual([]);
});

test("one file imports bun:ffi", () => {
  expect(files.filter((path) => importsOf(path).includes("bun:ffi"))).toEqual(["linux/libc.ts"]);
});

test("kexec_load(2) is called nowhere", () => {
  const calls = files.filter((path) => /"kexec_load"/.test(readFileSync(join(root, path), "utf8")));
  expect(calls).toEqual([]);
});

/** What `path` runs of this project, and what that runs: types are erased. */
function reached(path: string, found = new Set<string>()): ReadonlySet<string> {
  if (found.has(path)) return found;
  found.add(path);
  const text = readFileSync(join(root, path), "utf8").replace(/import type [^;]+;/g, "");
  for (const [, names, from = ""] of text.matchAll(/import \{([^}]*)\} from "(\.[^"]+)"/g)) {
    const onlyTypes = names?.split(",").every((name) => /^\s*(type\s|$)/.test(name)) ?? false;
    if (!onlyTypes) reached(relative(root, join(root, dirname(path), from)), found);
  }
  for (const [, from = ""] of text.matchAll(/(?:import\(|export [^;]* from )\s*"(\.[^"]+)"/g)) {
    reached(relative(root, join(root, dirname(path), from)), found);
  }
  return found;
}

test("pure rooms do no I/O, and neither does what they run", () => {
  const rooms = files.filter((path) => pure.includes(path.split("/")[0] ?? ""));
  const run = new Set(rooms.flatMap((path) => [...reached(path)]));
  expect(run.size).toBeGreaterThan(rooms.length);
  const impure = [...run].filter((path) => {
    const text = readFileSync(join(root, path), "utf8");
    const builtin = importsOf(path).some((name) => name.startsWith("node:") || name === "bun");
    return (
      path.startsWith("linux/") ||
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
