/** Everything that names a version of Bun names the one whose runtimes are pinned. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { bunVersion } from "../../build/targets.ts";

const root = join(import.meta.dir, "..", "..");
const text = (path: string) => readFileSync(join(root, path), "utf8");
const documents = [
  ...readdirSync(root).filter((name) => name.endsWith(".md")),
  ...readdirSync(join(root, "docs")).map((name) => `docs/${name}`),
].filter((name) => name.endsWith(".md") && name !== "CHANGELOG.md");

/** What a text calls by `bun@`. */
function called(path: string): string[] {
  return [...text(path).matchAll(/\bbun@([^\s`"]+)/g)].map(([, version = ""]) => version);
}

test("the tests run under it", () => {
  expect(Bun.version).toBe(bunVersion);
});

test("package.json asks for it, and for its types", () => {
  const { engines, devDependencies } = JSON.parse(text("package.json"));
  expect(engines.bun).toBe(`>=${bunVersion}`);
  expect(devDependencies.bun).toBe(bunVersion);
  expect(devDependencies["bun-types"]).toBe(bunVersion);
});

test("the lockfile has it, and its types", () => {
  // JSON but for commas at ends
  const { workspaces, packages } = JSON.parse(text("bun.lock").replace(/,(\s*[}\]])/g, "$1"));
  expect(workspaces[""].devDependencies).toMatchObject({
    bun: bunVersion,
    "bun-types": bunVersion,
  });
  for (const name of ["bun", "bun-types", "@oven/bun-linux-x64", "@oven/bun-linux-aarch64"]) {
    expect(packages[name][0]).toBe(`${name}@${bunVersion}`);
  }
});

test("README, documents and CI call it", () => {
  const calls = [...documents, ".ci/run"].map((path) => [path, called(path)] as const);
  expect(calls.find(([path]) => path === "README.md")?.[1].length).toBeGreaterThan(0);
  expect(calls.find(([path]) => path === ".ci/run")?.[1]).toEqual([bunVersion]);
  for (const [path, versions] of calls) {
    expect([path, versions.filter((version) => version !== bunVersion)]).toEqual([path, []]);
  }
});
