/** What CONTRIBUTING says of the code is so. */
import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..", "..");
const text = readFileSync(join(root, "CONTRIBUTING.md"), "utf8");
const sections = new Map(
  text.split(/^## /m).map((section) => [section.slice(0, section.indexOf("\n")), section] as const),
);
const sources = [...new Bun.Glob("src/**/*.ts").scanSync({ cwd: root })];

const quotedIn = (section: string) =>
  [...section.matchAll(/`([^`\n]+)`/g)].map(([, word = ""]) => word);

test("every file that it names is there", () => {
  const files = quotedIn(text).filter((word) =>
    /^((src|build|docs|contrib)\/[\w./-]+|test\/[\w./-]+\.\w+)$/.test(word),
  );
  expect(files.length).toBeGreaterThan(50);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});

describe("a recipe names every file of src that its example is in, and no other", () => {
  test.each([
    ["Add an image format", /"zboot"|zboot\.ts/, []],
    [
      "Add a kind of source",
      /"\.\/menus\/pairs\.ts"/,
      ["src/source/kind.ts", "src/source/menus/pairs.ts"],
    ],
    ["Add an error cause", /loadpin-refused/, []],
    ["Add a command", /\bstatus\.ts\b/, ["src/cli/commands/status.ts", "src/handoff/status.ts"]],
    ["Add an option", /acpi-rsdp|acpiRsdp/, ["src/cli/arguments/handover.ts"]],
  ] as const)("%s", (title, example, others) => {
    const section = sections.get(title) ?? "";
    const named = quotedIn(section).filter((word) => sources.includes(word));
    const having = sources.filter((file) => example.test(readFileSync(join(root, file), "utf8")));
    expect([...new Set([...having, ...others])].sort()).toEqual([...new Set(named)].sort());
  });
});

describe("the walks lead past what is there", () => {
  const walks = (sections.get("Two walks") ?? "").split(/^The way of /m).slice(1);

  test.each(walks.map((walk) => [walk.slice(0, walk.indexOf("\n")), walk] as const))(
    "%s",
    (_title, walk) => {
      const lines = walk.split("\n").filter((line) => /^(\d+\.| {3})/.test(line));
      expect(lines.length).toBeGreaterThan(5);
      expect(lines.length).toBeLessThanOrEqual(10);
      const stops = [...walk.matchAll(/`(src\/[\w./-]+)`\s+`(\w+)`/g)];
      expect(stops.length).toBeGreaterThan(8);
      const missing = stops.filter(([, file = "", name = ""]) => {
        const source = readFileSync(join(root, file), "utf8");
        return !new RegExp(
          `(function|class|const|async|static)\\s+${name}\\b|^ +${name}\\(`,
          "m",
        ).test(source);
      });
      expect(missing.map(([stop]) => stop)).toEqual([]);
    },
  );
});
