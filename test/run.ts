/**
 * Everything that must hold, in one command: set-up, types, lint and format, unit, command line,
 * build and virtual machine tests. Ends in `N passed, N failed, N skipped`.
 *
 * The set-up is a process of its own, before this one: what it installs is not found by a process
 * that looked for it in vain.
 *
 * `bun run test unit vm/load` runs the named groups or files only. `bun run test:fresh` runs what takes
 * long: the README on a clean Debian, and the playbook over two machines.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { ensureBuilt } from "../build/reuse.ts";

const root = join(import.meta.dir, "..");
const reports = join(root, ".cache", "reports");

interface Job {
  /** Shown, and what the command line selects by its beginning. */
  readonly name: string;
  readonly command: readonly string[];
  /** Where `bun test` writes its counts; a job without one is one test. */
  readonly report?: string;
}

interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

const bun = process.execPath;
const bin = (name: string) => join(root, "node_modules", ".bin", name);

function testJob(name: string, ...paths: readonly string[]): Job {
  const report = join(reports, `${name.replaceAll("/", "-")}.xml`);
  const reporter = ["--reporter=junit", `--reporter-outfile=${report}`];
  // Milliseconds. The default of 5 s is too short for a busy machine, and bunfig.toml cannot change it
  const patience = "--timeout=20000";
  const files = paths.map((path) => `./${path}`);
  return { name, report, command: [bun, "test", patience, ...reporter, ...files] };
}

/** Each in a process of its own: two guests at a time is what two cores carry. */
function jobsOf(folder: "vm" | "fresh"): Job[] {
  return readdirSync(join(root, "test", folder))
    .filter((file) => file.endsWith(".test.ts"))
    .sort()
    .map((file) => testJob(`${folder}/${file.replace(".test.ts", "")}`, `test/${folder}/${file}`));
}

const stages: readonly (readonly Job[])[] = [
  [
    { name: "types", command: [bun, bin("tsc"), "--noEmit"] },
    { name: "lint and format", command: [bun, bin("biome"), "check", "."] },
  ],
  [testJob("unit", "test/unit"), testJob("build", "test/build")],
  [testJob("cli", "test/cli")],
  [testJob("bench", "test/bench"), ...jobsOf("vm")],
  // Minutes, and the network: by name only
  jobsOf("fresh"),
];

const total: Counts = { passed: 0, failed: 0, skipped: 0 };
const skippedNames: string[] = [];
const failedNames: string[] = [];

async function run(job: Job): Promise<void> {
  const start = performance.now();
  const child = Bun.spawn([...job.command], {
    cwd: root,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: undefined },
  });
  const [out, err, exit] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  const counts = job.report === undefined ? { passed: 1, failed: 0, skipped: 0 } : read(job.report);
  if (exit !== 0 && counts.failed === 0) {
    // A type error, or a test process that died: no report tells of it.
    if (job.report === undefined) counts.passed = 0;
    counts.failed = 1;
    failedNames.push(`${job.name} (exit ${exit})`);
  }
  if (job.report !== undefined && counts.passed + counts.failed + counts.skipped === 0) {
    counts.failed = 1;
    failedNames.push(`${job.name}: no test was run`);
  }
  total.passed += counts.passed;
  total.failed += counts.failed;
  total.skipped += counts.skipped;
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${counts.failed === 0 ? "ok    " : "FAILED"} ${job.name}: ${describe(counts)} in ${seconds} s`,
  );
  if (exit !== 0 || counts.failed > 0) console.log(indent(`${out}\n${err}`));
}

function read(report: string): Counts {
  if (!existsSync(report)) return { passed: 0, failed: 0, skipped: 0 };
  const xml = readFileSync(report, "utf8");
  const counts = { passed: 0, failed: 0, skipped: 0 };
  for (const [, attributes = "", ending, body = ""] of xml.matchAll(
    /<testcase\s([^>]*?)(\/>|>([\s\S]*?)<\/testcase>)/g,
  )) {
    const name = decodeEntities(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "?");
    const inside = ending === "/>" ? "" : body;
    if (/<(failure|error)\b/.test(inside)) {
      counts.failed++;
      failedNames.push(name);
    } else if (/<skipped\b/.test(inside)) {
      counts.skipped++;
      skippedNames.push(name);
    } else {
      counts.passed++;
    }
  }
  return counts;
}

function decodeEntities(text: string): string {
  return text
    .replaceAll("&quot;", '"')
    .replaceAll("&apos;", "'")
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&amp;", "&");
}

function describe({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function indent(text: string): string {
  return text
    .trim()
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

/** Runs jobs two at a time, in order of their listing. */
async function runAll(jobs: readonly Job[]): Promise<void> {
  const waiting = [...jobs];
  const worker = async () => {
    for (let job = waiting.shift(); job !== undefined; job = waiting.shift()) await run(job);
  };
  await Promise.all([worker(), worker()]);
}

rmSync(reports, { recursive: true, force: true });
mkdirSync(reports, { recursive: true });

const wanted = process.argv.slice(2);
const selected = (job: Job) =>
  wanted.length === 0
    ? !job.name.startsWith("fresh/")
    : wanted.some((word) => job.name === word || job.name.startsWith(`${word}/`));
if (stages.flat().some((job) => selected(job) && /^(cli|vm|bench|build|fresh)/.test(job.name))) {
  console.log("building the binaries");
  process.env["AEGIS_BINARY"] = await ensureBuilt("linux-x64");
  await ensureBuilt("linux-arm64");
}
for (const stage of stages) await runAll(stage.filter(selected));

if (skippedNames.length > 0) console.log(`\nskipped:\n${indent(skippedNames.join("\n"))}`);
if (failedNames.length > 0) console.log(`\nfailed:\n${indent(failedNames.join("\n"))}`);
console.log(`\n${describe(total)}`);
process.exit(total.failed === 0 ? 0 : 1);
