import { describe, expect } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Case, matches, parseCases } from "./format.ts";
import { describePrograms, type Workshop } from "./program.ts";

const folder = join(import.meta.dir, "cases");
const files = readdirSync(folder)
  .filter((name) => name.endsWith(".txt"))
  .sort();

describePrograms((workshop, test) => {
  for (const file of files) {
    describe(file, () => {
      for (const one of parseCases(readFileSync(join(folder, file), "utf8"), file)) {
        test(one.name, () => tryCase(workshop, one));
      }
    });
  }
});

async function tryCase(workshop: Workshop, { script, stdout, stderr, exit }: Case): Promise<void> {
  const child = Bun.spawn(["/bin/sh", "-c", script], {
    cwd: workshop.directory(),
    env: workshop.environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const code = await child.exited;
  // The difference is shown by comparing with the expected lines where they do not match.
  const seen = { stdout: lines(out), stderr: lines(err), exit: code };
  expect({
    stdout: matches(stdout, seen.stdout) ? stdout : seen.stdout,
    stderr: matches(stderr, seen.stderr) ? stderr : seen.stderr,
    exit: seen.exit,
  }).toEqual({ stdout, stderr, exit });
  if (seen.stdout[0]?.startsWith("Usage:")) {
    expect(seen.stdout.filter((line) => line.length > 80)).toEqual([]);
  }
}

function lines(text: string): string[] {
  if (text === "") return [];
  // A last line without its newline would show as a missing one.
  return text.endsWith("\n")
    ? text.slice(0, -1).split("\n")
    : [...text.split("\n"), "(no newline)"];
}
