/** What there is to run, which of it a command line asks for, and in what order. */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Target } from "../../build/targets.ts";

export const root = resolve(import.meta.dir, "../..");
export const reports = join(root, ".cache", "reports");

export interface Job {
  /** Shown, and what the command line selects by its beginning. */
  readonly name: string;
  readonly command: readonly string[];
  /** Where `bun test` writes its counts; a job without one is one test. */
  readonly report?: string;
  /** Whose binary it is about, for test/cli/program.ts; without it, the sources and linux-x64's. */
  readonly target?: Target["name"];
}

/** Which of the jobs are wanted. */
export interface Wanted {
  /** `--quick`: types, lint, unit and command line; `--all`: also test/vm/all; else all but that. */
  readonly size: "quick" | "usual" | "all";
  /** Names of groups or jobs; none: everything of that size. */
  readonly words: readonly string[];
}

const bun = process.execPath;
const bin = (name: string) => join(root, "node_modules", ".bin", name);

function testJob(name: string, ...paths: readonly string[]): Job {
  const report = join(reports, `${name.replaceAll("/", "-")}.xml`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  // Milliseconds. The default of 5 s is too short for a busy machine, and bunfig.toml cannot change it
  const patience = "--timeout=60000";
  const files = paths.map((path) => `./${path}`);
  return { name, report, command: [bun, "test", patience, ...reporter, ...files] };
}

/** A job for each file: two guests at a time is what two cores carry. */
function jobsOf(folder: string): Job[] {
  const path = join(root, "test", folder);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .map((file) => testJob(`${folder}/${file.replace(".test.ts", "")}`, `test/${folder}/${file}`));
}

/** The command-line cases on the binaries that "cli" has not. */
function commandLineJobs(): Job[] {
  const names = ["linux-x64-musl", "linux-arm64", "linux-arm64-musl"] as const;
  return names.map((target) => ({ ...testJob(`vm/all/cli-${target}`, "test/cli"), target }));
}

/** Groups whose binary runs on a Debian's disk, where nothing has musl's libraries, or on this machine. */
const ofGlibc: readonly string[] = [
  "all/debian-13",
  "all/debian-package",
  "all/hooks-network",
  "all/newest-systemd",
  "bench",
  "debian-package",
  "hooks",
  "kdump-tools",
  "other-inits",
  "packaging",
  "readme",
  "signers",
  "systemd",
];

/** The groups of virtual machines once more, with the binaries that are linked to musl in the guests. */
function muslJobs(): Job[] {
  return [...jobsOf("vm"), ...jobsOf("vm/all")]
    .map(({ name }) => name.slice("vm/".length))
    .filter((group) => !ofGlibc.includes(group))
    .map((group) => ({
      ...testJob(`musl/${group}`, `test/vm/${group}.test.ts`),
      target: "linux-x64-musl",
    }));
}

/** In the order in which they are run; the jobs of a stage run side by side. */
export function stages(): Job[][] {
  return [
    [
      { name: "types", command: [bun, bin("tsc"), "--noEmit"] },
      { name: "lint", command: [bun, bin("biome"), "check", "."] },
      testJob("unit", "test/unit"),
      testJob("cli", "test/cli"),
      ...jobsOf("build"),
    ],
    [testJob("bench", "test/bench"), ...jobsOf("vm"), ...jobsOf("vm/all"), ...commandLineJobs()],
    // By name only: the first takes as long as all of test/vm, the second the network as well
    muslJobs(),
    jobsOf("fresh"),
  ];
}

/** @throws Error for an option that there is not. */
export function parseWanted(args: readonly string[]): Wanted {
  const options = args.filter((word) => word.startsWith("-"));
  const unknown = options.find((option) => option !== "--quick" && option !== "--all");
  if (unknown !== undefined || options.length > 1) {
    throw new Error(`usage: bun run test [--quick | --all] [GROUP or GROUP/FILE ...]`);
  }
  const size = options[0] === "--quick" ? "quick" : options[0] === "--all" ? "all" : "usual";
  return { size, words: args.filter((word) => !word.startsWith("-")) };
}

export function isWanted(name: string, { size, words }: Wanted): boolean {
  if (size === "quick" && !["types", "lint", "unit", "cli"].includes(name)) return false;
  const many = /^(vm|musl)\/all\//.test(name);
  if (words.length === 0) return !/^(fresh|musl)\//.test(name) && (size === "all" || !many);
  return words.some(
    (word) =>
      name === word ||
      // The long ones, where they are meant
      (name.startsWith(`${word}/`) && (!many || size === "all" || word.endsWith("/all"))),
  );
}

/** What test/setup.ts must have made ready for these jobs. */
export function purposeOf(names: readonly string[]): "quick" | "test" | "fresh" {
  if (names.some((name) => name.startsWith("fresh/"))) return "fresh";
  return names.some((name) => /^(vm|musl|bench|build)/.test(name)) ? "test" : "quick";
}

/**
 * The longest first, so that all workers end at about the same time; a job that was never timed
 * could be the longest.
 */
export function byTime<T extends { readonly name: string }>(
  jobs: readonly T[],
  seconds: Readonly<Record<string, number>>,
): T[] {
  const timeOf = ({ name }: T) => seconds[name] ?? Number.POSITIVE_INFINITY;
  return jobs.toSorted((a, b) => (timeOf(a) < timeOf(b) ? 1 : timeOf(a) > timeOf(b) ? -1 : 0));
}

/** Seconds that so many workers take for jobs of these lengths, in this order. */
export function expectedSeconds(lengths: readonly number[], workers: number): number {
  const ends = Array.from({ length: workers }, () => 0);
  for (const seconds of lengths) {
    const [first = 0] = ends.sort((one, other) => one - other);
    ends[0] = first + seconds;
  }
  return Math.max(...ends);
}

/**
 * How many jobs run at a time: two, as two cores carry, or what AEGIS_TEST_WORKERS says.
 * @throws Error where that is no such number
 */
export function workersOf(environment: Readonly<Record<string, string | undefined>>): number {
  const said = environment["AEGIS_TEST_WORKERS"] ?? "2";
  if (/^(?:[1-9]|[12][0-9]|3[0-2])$/.test(said)) return Number(said);
  throw new Error(`AEGIS_TEST_WORKERS must be a number from 1 to 32, not ${JSON.stringify(said)}`);
}
