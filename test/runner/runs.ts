/** Whole runs, one after the other: how many passed in a row, and which tests are flaky. Kept in the cache. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { root, type Wanted } from "./jobs.ts";
import type { Results } from "./report.ts";

const path = join(root, ".cache", "runs.jsonl");

/** A run of everything that its size has. */
export interface WholeRun {
  /** `test` or `test:all`, which has all that `test` has. */
  readonly command: "test" | "test:all";
  /** Abbreviated; with `+` where tracked files differed from it. */
  readonly commit: string;
  /** When it ended: ISO 8601, UTC. */
  readonly ended: string;
  readonly seconds: number;
  readonly passed: number;
  /** Names. */
  readonly failed: readonly string[];
  readonly skipped: number;
  readonly notBuilt: number;
}

/** How many runs in a row must have passed before a release. */
export const enough = 5;

/** The command that such a run is; undefined where it is not whole, or not of virtual machines. */
export function commandOf({ size, words }: Wanted): WholeRun["command"] | undefined {
  if (words.length > 0 || size === "quick") return undefined;
  return size === "all" ? "test:all" : "test";
}

/** What is tested, told before anything runs. A copy without git, or on a machine without it, does not know. */
export function currentCommit(path = process.env["PATH"] ?? ""): string {
  const git = Bun.which("git", { PATH: path });
  if (git === null) return "unknown";
  const words = [git, "-C", root, "describe", "--always", "--exclude=*", "--dirty=+"];
  const { success, stdout } = Bun.spawnSync(words, { stderr: "ignore" });
  return success ? stdout.toString().trim() : "unknown";
}

export function wholeRun(
  command: WholeRun["command"],
  commit: string,
  seconds: number,
  results: Results,
): WholeRun {
  const { passed, failed, skipped, notBuilt } = results;
  return {
    ...{ command, commit, ended: new Date().toISOString(), seconds: Math.round(seconds), passed },
    ...{ failed, skipped: skipped.length, notBuilt: notBuilt.length },
  };
}

export function keepRun(run: WholeRun): void {
  mkdirSync(dirname(path), { recursive: true });
  appendFileSync(path, `${JSON.stringify(run)}\n`);
}

/** In the order in which they ended. */
export function readRuns(from = path): WholeRun[] {
  if (!existsSync(from)) return [];
  const lines = readFileSync(from, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line): WholeRun => JSON.parse(line));
}

/** The runs that had all tests of `command`. */
function runsWith(runs: readonly WholeRun[], command: WholeRun["command"]): readonly WholeRun[] {
  return runs.filter((run) => command === "test" || run.command === command);
}

/** How many of the last runs passed, without one between them that failed. */
export function inARow(runs: readonly WholeRun[], command: WholeRun["command"]): number {
  const had = runsWith(runs, command);
  const last = had.findLastIndex(({ failed }) => failed.length > 0);
  return had.length - 1 - last;
}

/** Tests that failed in some of the last runs, and not in others: in how many of them. */
export function flakyTests(runs: readonly WholeRun[]): ReadonlyMap<string, number> {
  const last = runs.slice(-enough);
  const counts = new Map<string, number>();
  for (const name of last.flatMap(({ failed }) => failed)) {
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return new Map([...counts].filter(([, count]) => count < last.length));
}

/** What a whole run says at its end of those before it. */
export function describeRuns(runs: readonly WholeRun[]): string {
  const counts = (["test", "test:all"] as const).map(
    (command) => `${command} ${inARow(runs, command)}`,
  );
  const flaky = [...flakyTests(runs)].map(
    ([name, count]) => `    ${name} (failed in ${count} of ${Math.min(runs.length, enough)})`,
  );
  return [
    `whole runs in a row that passed: ${counts.join(", ")}`,
    ...(flaky.length === 0 ? [] : ["flaky:", ...flaky]),
  ].join("\n");
}
