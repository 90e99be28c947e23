/** Each command of the README is run by a test, and its links lead somewhere. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..", "..");
const readme = await Bun.file(join(root, "README.md")).text();

/** The commands' names, and the test that runs them as they are printed. */
const runs: Readonly<Record<string, string>> = {
  demo: "test/fresh/readme.test.ts",
  test: "test/fresh/readme.test.ts",
  build: "test/fresh/readme.test.ts",
  first: "test/vm/readme.test.ts",
  commands: "test/vm/readme.test.ts",
  kexec: "test/vm/readme.test.ts",
  secret: "test/vm/readme.test.ts",
  "openssl-key": "test/vm/trust.test.ts",
  "openssl-sign": "test/vm/trust.test.ts",
  "minisign-key": "test/vm/trust.test.ts",
  "minisign-sign": "test/vm/trust.test.ts",
  manifest: "test/vm/trust.test.ts",
  check: "test/vm/trust.test.ts",
  node: "test/vm/trust.test.ts",
  boot: "test/vm/trust.test.ts",
};

test("every block of commands has a name, and a test that runs it", async () => {
  const blocks = readme.match(/^```sh$/gm) ?? [];
  const named = [...readme.matchAll(/^<!-- run: ([\w-]+) -->\n```sh$/gm)].map(([, name]) => name);
  expect(named).toHaveLength(blocks.length);
  expect(named.sort()).toEqual(Object.keys(runs).sort());
  for (const [name, file] of Object.entries(runs)) {
    const source = await Bun.file(join(root, file)).text();
    const [tool, work] = name.split("-");
    expect(source).toMatch(
      work === undefined
        ? new RegExp(`"${tool}"`)
        : new RegExp(`"${tool}"[^]*\\$\\{tool\\}-${work}`),
    );
  }
});

test("every link and picture leads to a file of the repository", () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)|(?:src|srcset)="([^":]+)"/g)];
  const paths = links.map(([, link, source]) => link ?? source ?? "");
  expect(paths).toContain("docs/handoff.svg");
  expect(paths.filter((path) => !existsSync(join(root, path)))).toEqual([]);
});
