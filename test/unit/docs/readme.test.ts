/** Each command of the README and of docs/ is run by a test, and their links lead somewhere. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { pages } from "../../vm/lib/readme.ts";

const root = join(import.meta.dir, "..", "..", "..");
const written = pages();

/** The commands' names, and the test that runs them as they are printed. */
const runs: Readonly<Record<string, string>> = {
  demo: "test/fresh/readme.ts",
  test: "test/fresh/readme.ts",
  build: "test/fresh/readme.ts",
  first: "test/vm/readme.test.ts",
  commands: "test/vm/readme.test.ts",
  kexec: "test/vm/readme.test.ts",
  secret: "test/vm/readme.test.ts",
  ...Object.fromEntries(
    ["", "-enable", "-restart", "-check", "-journal", "-boot", "-undo"].map((part) => [
      `install${part}`,
      "test/vm/scenarios/install-page.ts",
    ]),
  ),
  "install-divert": "test/vm/scenarios/install-page.ts",
  "install-divert-undo": "test/vm/scenarios/install-page.ts",
  "install-link": "test/vm/scenarios/install-page.ts",
  "install-initramfs-tools": "test/vm/hooks.test.ts",
  "install-dracut": "test/vm/hooks.test.ts",
  "install-mkinitcpio": "test/vm/hooks.test.ts",
  "openssl-key": "test/vm/trust.test.ts",
  "openssl-sign": "test/vm/trust.test.ts",
  "minisign-key": "test/vm/trust.test.ts",
  "minisign-sign": "test/vm/trust.test.ts",
  manifest: "test/vm/trust.test.ts",
  check: "test/vm/trust.test.ts",
  node: "test/vm/trust.test.ts",
  boot: "test/vm/trust.test.ts",
  signers: "test/vm/signers.test.ts",
  cosign: "test/vm/signers.test.ts",
  strict: "test/vm/signers.test.ts",
  unlock: "test/vm/signers.test.ts",
  iso: "test/vm/iso.test.ts",
  isos: "test/vm/all/iso.test.ts",
  uki: "test/vm/all/uki.test.ts",
};

test("every block of commands has a name, and a test that runs it", async () => {
  const all = written.map(({ text }) => text).join("\n");
  const blocks = all.match(/^```sh$/gm) ?? [];
  const named = [...all.matchAll(/^<!-- run: ([\w-]+) -->\n```sh$/gm)].map(([, name]) => name);
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

test.each(written)("every link and picture of $path leads to a file", ({ path, text }) => {
  const links = [...text.matchAll(/\]\(([^)#:]+)\)|(?:src|srcset)="([^":]+)"/g)];
  const targets = links.map(([, link, source]) => join(dirname(path), link ?? source ?? ""));
  expect(targets.filter((target) => !existsSync(join(root, target)))).toEqual([]);
});

test("the README is short, and leads to every page", () => {
  const readme = written[0]?.text ?? "";
  expect(readme.split("\n").length).toBeLessThanOrEqual(250);
  expect(readme).toContain("docs/handoff.svg");
  const linked = new Set(
    written.flatMap(({ path, text }) =>
      [...text.matchAll(/\]\(([^)#:]+\.md)[^)]*\)/g)].map(([, link = ""]) =>
        join(dirname(path), link),
      ),
    ),
  );
  expect(
    written.map(({ path }) => path).filter((path) => path !== "README.md" && !linked.has(path)),
  ).toEqual([]);
});
