/**
 * Everything that must hold, in one command: set-up, types, lint and format, unit, command line,
 * build and virtual machine tests. Ends in `N passed, N failed, N skipped`.
 *
 *   bun run test            one case of each kind: under half an hour on two cores
 *   bun run test --quick    types, lint, unit, command line: under a minute
 *   bun run test:all        also test/vm/all, where many cases are, and the command line on the
 *                           binaries of the other targets: under an hour and a half
 *   bun run test:musl       test/vm with the binaries that are linked to musl; --all: test/vm/all as well
 *   bun run test:fresh      the README in containers, the playbook over two machines; --all: all tests there
 *   bun run test cli vm/x   the named groups or files only
 *
 * The set-up is a process of its own, before this one looks for anything: what it installs is not
 * found by a process that looked for it in vain.
 */
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { unseenCodes } from "./runner/codes.ts";
import {
  byTime,
  expectedSeconds,
  isWanted,
  type Job,
  parseWanted,
  purposeOf,
  reports,
  root,
  stages,
  workersOf,
} from "./runner/jobs.ts";
import {
  addResults,
  describeCounts,
  noResults,
  type Results,
  readReport,
} from "./runner/report.ts";
import {
  commandOf,
  currentCommit,
  describeRuns,
  keepRun,
  readRuns,
  wholeRun,
} from "./runner/runs.ts";
import { systemsOf } from "./runner/systems.ts";
import { dropRecord, readRecords } from "./runner/tested.ts";
import { duration, keepTime, readTimes } from "./runner/times.ts";
import { buildTime } from "./vm/lib/built-kernels.ts";

/** Seconds between two lines about what still runs. */
const patience = 60;

const total = noResults();
const times = readTimes();
const running = new Map<Job, number>();
const left: Job[] = [];
const sinceStart = stopwatch();

async function run(job: Job): Promise<void> {
  const seconds = stopwatch();
  running.set(job, performance.now());
  const last = times[job.name];
  console.log(`begin  ${job.name}${last === undefined ? "" : ` (last time ${duration(last)})`}`);
  dropRecord(job.name);
  const child = Bun.spawn([...job.command], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined, AEGIS_TARGET: job.target },
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  running.delete(job);
  const results = resultsOf(job, exit);
  addResults(total, results);
  const ok = results.failed.length === 0;
  const ahead = left.length === 0 ? "" : `; ${left.length} more, about ${forecast()}`;
  const waiting = results.notBuilt.length === 0 ? "" : `, ${results.notBuilt.length} not built`;
  const counts = `${describeCounts(results)}${waiting}`;
  console.log(
    `${ok ? "ok    " : "FAILED"} ${job.name}: ${counts} in ${duration(seconds())}${ahead}`,
  );
  if (ok) keepTime(job.name, seconds());
  else console.log(indent(`${out}\n${err}`));
}

function resultsOf(job: Job, exit: number): Results {
  const results =
    job.report === undefined
      ? { ...noResults(), passed: exit === 0 ? 1 : 0 }
      : readReport(existsSync(job.report) ? readFileSync(job.report, "utf8") : "");
  // A type error, or a test process that died: no report tells of it.
  if (exit !== 0 && results.failed.length === 0) results.failed.push(`${job.name} (exit ${exit})`);
  const { passed, failed, skipped, notBuilt } = results;
  if (passed + failed.length + skipped.length + notBuilt.length === 0) {
    failed.push(`${job.name}: no test was run`);
  }
  return results;
}

/** Runs jobs side by side, the longest first. */
async function runAll(jobs: readonly Job[], workers: number): Promise<void> {
  left.push(...byTime(jobs, times));
  const worker = async () => {
    for (let job = left.shift(); job !== undefined; job = left.shift()) await run(job);
  };
  await Promise.all(Array.from({ length: workers }, worker));
}

function tellWhatRuns(): void {
  if (running.size === 0) return;
  const told = [...running].map(
    ([{ name }, start]) => `${name} for ${duration((performance.now() - start) / 1000)}`,
  );
  console.log(`       running ${told.join(", ")}`);
}

/** How long it takes until nothing is left, as far as it is known how long things take. */
function forecast(): string {
  const now = performance.now();
  const rest = [...running].map(([{ name }, start]) =>
    Math.max(0, (times[name] ?? 0) - (now - start) / 1000),
  );
  const lengths = [...rest, ...left.map(({ name }) => times[name] ?? 0)];
  return duration(expectedSeconds(lengths, workersOf(process.env)));
}

function tellNotBuilt(): void {
  const { notBuilt } = total;
  if (notBuilt.length === 0) return;
  const kernels = [...new Set(notBuilt.flatMap((one) => one.kernels))].sort();
  console.log(`\n${notBuilt.length} not built: they want kernels that Debian does not build`);
  console.log(indent(notBuilt.map(({ name }) => name).join("\n")));
  console.log(`once, ${buildTime}:\n    bun run kernels ${kernels.join(" ")}`);
}

function tellUnseen(): void {
  const unseen = unseenCodes(readRecords());
  if (unseen.length > 0) console.log(`\nseen of no kernel, as JSON: ${unseen.join(", ")}`);
}

function stopwatch(): () => number {
  const start = performance.now();
  return () => (performance.now() - start) / 1000;
}

function namesOf(jobs: readonly Job[]): string[] {
  return jobs.map(({ name }) => name);
}

function indent(text: string): string {
  return text.trim().replace(/^/gm, "    ");
}

async function main(args: readonly string[]): Promise<number> {
  const wanted = parseWanted(args);
  const selected = stages().map((stage) => stage.filter(({ name }) => isWanted(name, wanted)));
  const names = namesOf(selected.flat());
  if (names.length === 0) throw new Error(`nothing is called ${wanted.words.join(" or ")}`);
  const commit = currentCommit();
  const workers = workersOf(process.env);
  const systems = systemsOf(names);
  const made = systems.length === 0 ? ["none"] : systems;
  const setup = [process.execPath, "test/setup.ts", purposeOf(names), ...made];
  const ready = Bun.spawn(setup, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if ((await ready.exited) !== 0) return 1;
  rmSync(reports, { recursive: true, force: true });
  mkdirSync(reports, { recursive: true });
  if (names.some((name) => /^(cli|vm|musl|bench|build|fresh)/.test(name))) {
    console.log("building the binaries");
    // In a process that looks for packages after the set-up installed them
    const others = selected.flat().flatMap(({ target }) => target ?? []);
    const usual = ["linux-x64", ...(wanted.size === "quick" ? [] : ["linux-arm64"])];
    if (names.some((name) => name.startsWith("musl/"))) usual.push("linux-arm64-musl");
    const targets = [...new Set([...usual, ...others])];
    const build = [process.execPath, "build/reuse.ts", ...targets];
    const built = Bun.spawn(build, { cwd: root, stdio: ["ignore", "pipe", "inherit"] });
    const [binary = ""] = (await new Response(built.stdout).text()).split("\n");
    if ((await built.exited) !== 0) return 1;
    process.env["AEGIS_BINARY"] = binary;
  }
  process.env["AEGIS_TEST_SIZE"] = wanted.size;
  const clock = setInterval(tellWhatRuns, patience * 1000);
  for (const stage of selected) await runAll(stage, workers);
  clearInterval(clock);
  tellNotBuilt();
  if (wanted.size === "all" && wanted.words.length === 0) tellUnseen();
  if (total.skipped.length > 0) console.log(`\nskipped:\n${indent(total.skipped.join("\n"))}`);
  if (total.failed.length > 0) console.log(`\nfailed:\n${indent(total.failed.join("\n"))}`);
  const command = commandOf(wanted);
  if (command !== undefined) {
    keepRun(wholeRun(command, commit, sinceStart(), total));
    console.log(`\n${describeRuns(readRuns())}`);
  }
  console.log(`\n${duration(sinceStart())}\n${describeCounts(total)}`);
  return total.failed.length === 0 ? 0 : 1;
}

try {
  process.exit(await main(process.argv.slice(2)));
} catch (error) {
  console.error(`test: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(2);
}
