/**
 * Writes docs/tested.md, which says what was shown where, of what the last run of each group of tests
 * in virtual machines left behind:
 *
 *   bun run tested [FOLDER ...]
 *   bun run tested --runs
 *
 * A FOLDER has records of another checkout: of a test that both have, those count. With --runs the table
 * of whole runs alone: for a machine where not everything was run, as its kernels were not built.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { version } from "../src/version.ts";
import { enough, readRuns, type WholeRun } from "./runner/runs.ts";
import { readRecords } from "./runner/tested.ts";
import { duration } from "./runner/times.ts";
import type { Place, Shown } from "./vm/lib/witness.ts";

const root = join(import.meta.dir, "..");
export const testedPage = join(root, "docs", "tested.md");

/** The rows of the page, by the file of the tests. */
type Records = ReadonlyMap<string, readonly Shown[]>;

/** Kernels by series, architecture and pages: `6.1`, `7.2 arm64, 64 KiB`. */
function columnsOf({ arch, pages, releases }: Place): string[] {
  const machine = arch === "x86_64" ? "" : ` arm64, ${pages} KiB`;
  return releases.map((release) => `${/^\d+\.\d+/.exec(release)?.[0] ?? release}${machine}`);
}

const further: Readonly<Record<string, (place: Place) => boolean>> = {
  "Secure Boot": ({ firmware }) => firmware.startsWith("UEFI"),
  lockdown: ({ lockdown }) => lockdown,
  musl: ({ libc }) => libc === "musl",
};

/** The first sentence of a file's comment. */
function subjectOf(job: string): string {
  const path = join(root, "test", `${job}.test.ts`);
  const text = existsSync(path) ? readFileSync(path, "utf8") : "";
  const comment = /^\/\*\*([\s\S]*?)\*\//.exec(text)?.[1] ?? "";
  const plain = comment.replace(/\n \*/g, " ").replace(/\s+/g, " ").trim();
  return (/^(.*?)[.:](?: |$)/.exec(plain)?.[1] ?? plain).replaceAll("|", "\\|");
}

function megabytes(memory: number): string {
  return memory % 1024 === 0 ? `${memory / 1024} GB` : `${memory} MB`;
}

const row = (cells: readonly (string | number)[]) => `| ${cells.join(" | ")} |`;

const rowOfRun = (run: WholeRun) =>
  row([
    ...[`\`${run.command}\``, run.commit, run.ended.slice(0, 10), duration(run.seconds)],
    ...[run.passed, run.failed.length, run.skipped, run.notBuilt],
  ]);

/** The last runs of everything, as many as a release wants and as many again. Those that only `page` has are of other machines. */
function chapterOfRuns(page: string, runs: readonly WholeRun[]): string {
  const heads = ["command", "commit", "ended", "took", "passed", "failed", "skipped", "not built"];
  const before = chapterIn(page).match(/^\| `test.*\|$/gm) ?? [];
  const rows = [...new Set([...before, ...runs.map(rowOfRun)])].slice(-2 * enough);
  const rule = row(heads.map((_, i) => (i < 4 ? "---" : "---:")));
  return `${title}

A release wants ${enough} in a row that pass. \`test:all\` has all that \`test\` has. A commit with + had changes. What was not
built are tests on kernels of \`bun run kernels\`, on a machine that had none.

${[row(heads), rule, ...rows].join("\n")}
`;
}

const title = "## Whole runs, one after the other";

function chapterIn(page: string): string {
  const start = page.indexOf(title);
  return start < 0 ? "" : page.slice(start);
}

/** `page` with what the cache knows of whole runs; the rest of it stays. */
export function withRuns(page: string, runs: readonly WholeRun[]): string {
  return page.replace(chapterIn(page), () => chapterOfRuns(page, runs));
}

/** The page, with the runs that it told of `before`. */
export function pageOf(records: Records, runs: readonly WholeRun[], before = ""): string {
  const places = [...records.values()].flat().flatMap((shown) => shown.places);
  const columns = [...new Set(places.flatMap(columnsOf))].sort((a, b) =>
    a.localeCompare(b, "en", { numeric: true }),
  );
  const heads = ["what", "test", ...columns, ...Object.keys(further), "memory"];
  const shownSomewhere = [...records].filter(([, all]) => all.some((one) => one.places.length > 0));
  const rows = shownSomewhere.map(([job, shown]) => {
    const count = (fits: (place: Place) => boolean) =>
      shown.filter((one) => one.places.some(fits)).length || "";
    const memory = shown.flatMap((one) => one.places.map((place) => place.memory));
    const [least, most] = [Math.min(...memory), Math.max(...memory)].map(megabytes);
    return row([
      subjectOf(job),
      `\`${job}\``,
      ...columns.map((column) => count((place) => columnsOf(place).includes(column))),
      ...Object.values(further).map(count),
      least === most ? `${least}` : `${least} to ${most}`,
    ]);
  });
  return `# Tested where

Which tests passed on which kernels and machines: how many of each group. \`bun run tested\` writes this page of what the
tests of version ${version} in virtual machines left behind when they were last run.

The kernels are Debian's where Debian builds one that can, and else those of \`bun run kernels\`, built of Debian's source.
Columns without an architecture are x86_64 with pages of 4 KiB. A guest of x86_64 without Secure Boot starts by BIOS. What
a column does not say was glibc. A test that hands over counts for both kernels.

${row(heads)}
${row(heads.map((_, index) => (index < 2 ? "---" : "---:")))}
${rows.join("\n")}

${chapterOfRuns(before, runs)}`;
}

/** What `bun run test:musl` showed counts for the tests that it ran once more. */
export function withMuslRuns(records: Records): Records {
  const groups = [...records].filter(([job]) => !job.startsWith("musl/"));
  return new Map(
    groups.map(([job, shown]) => {
      const again = records.get(job.replace(/^vm\//, "musl/")) ?? [];
      const places = new Map(again.map((one) => [one.test, one.places]));
      const all = shown.map((one) => ({
        ...one,
        places: [...one.places, ...(places.get(one.test) ?? [])],
      }));
      return [job, all] as const;
    }),
  );
}

function recordsWith(folders: readonly string[]): Records {
  const all = new Map(readRecords());
  for (const folder of folders) {
    for (const [job, shown] of readRecords(folder)) {
      const others = (all.get(job) ?? []).filter(
        ({ test }) => !shown.some((one) => one.test === test),
      );
      all.set(job, [...others, ...shown]);
    }
  }
  return withMuslRuns(new Map([...all].sort(([a], [b]) => (a < b ? -1 : 1))));
}

if (import.meta.main) {
  const words = process.argv.slice(2);
  const page = await Bun.file(testedPage).text();
  const onlyRuns = words.join(" ") === "--runs";
  const text = onlyRuns ? withRuns(page, readRuns()) : pageOf(recordsWith(words), readRuns(), page);
  await Bun.write(testedPage, text);
}
