/** From runs to figures, and the file in which they are kept. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { AarchCost } from "./aarch64.ts";
import type { CarryResults } from "./carry.ts";
import type { HandoffResults } from "./handoff.ts";
import type { HostResults } from "./host.ts";
import type { LayoutCost } from "./layout.ts";
import type { LeastMemory } from "./least-memory.ts";
import type { Run } from "./measure.ts";
import type { PeakMemory } from "./peak-memory.ts";
import type { StartUpCost } from "./start-up.ts";
import { type ProgramName, type WorkName, works } from "./works.ts";

/** Several values of one thing. */
export interface Figure {
  readonly median: number;
  readonly least: number;
  readonly most: number;
  readonly count: number;
}

/** What one program cost in one work; see `Sample` for the units. */
export interface Cost {
  readonly work: WorkName;
  readonly program: ProgramName;
  /** Outside the system call: the first run in a guest, and all later ones. */
  readonly cold: Figure;
  readonly warm: Figure;
  /** Inside the system call, all runs. */
  readonly call: Figure;
  /** All of it, the later runs. */
  readonly busy: Figure;
}

export interface Results {
  readonly versions: Readonly<Record<string, string>>;
  readonly guest: string;
  /** Guest instructions. */
  readonly instructions: readonly Cost[];
  /** Nanoseconds of the host. */
  readonly time?: readonly Cost[];
  /** Programs that were not measured, and why. */
  readonly missing: Readonly<Record<string, string>>;
  readonly peak?: readonly PeakMemory[];
  readonly leastMemory?: readonly LeastMemory[];
  readonly carry?: CarryResults;
  readonly handoff?: HandoffResults;
  readonly host?: HostResults;
  readonly layout?: readonly LayoutCost[];
  readonly startUp?: readonly StartUpCost[];
  readonly aarch64?: readonly AarchCost[];
}

/** What can be measured and recorded by itself. */
export const partNames = [
  "instructions",
  "time",
  "host",
  "handoff",
  "layout",
  "peak",
  "leastMemory",
  "carry",
  "startUp",
  "aarch64",
] as const;
export type PartName = (typeof partNames)[number];

/** What a run has measured: some parts. */
export type Measured = Pick<Results, "versions" | "guest" | "missing"> &
  Partial<Pick<Results, PartName>>;

/**
 * The results to record: works that were measured anew, and the others as they were. What was recorded of
 * other versions goes: a figure without a mark is one of the program, the runtime and the tools that are
 * named below it.
 * @throws Error where there would be no counts
 */
export function merged(before: Results | undefined, now: Measured): Results {
  const same = before !== undefined && areSame(before.versions, now.versions);
  const measured = now.instructions ?? [];
  const instructions = works.flatMap(({ name }) => {
    const again = measured.filter(({ work }) => work === name);
    if (again.length > 0) return again;
    return same ? before.instructions.filter(({ work }) => work === name) : [];
  });
  if (instructions.length === 0) {
    throw new Error("what is recorded is of other versions: measure the part instructions as well");
  }
  return { ...(same ? before : {}), ...now, instructions };
}

/** Of what both name: what is new was not measured before, and changes none of the other figures. */
export function areSame(before: Results["versions"], now: Results["versions"]): boolean {
  return Object.entries(before).every(([name, version]) => (now[name] ?? version) === version);
}

export const resultsFolder = join(import.meta.dir, "results");
export const recordedPath = join(resultsFolder, "results.json");
/** Every single run. */
export const runsPath = join(resultsFolder, "runs.json");

export function summarise(runs: readonly Run[]): Cost[] {
  const groups = Map.groupBy(runs, ({ work, program }) => `${work} ${program}`);
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const later = group.filter(({ turn }) => turn > 0);
    return [
      {
        work: first.work,
        program: first.program,
        cold: figure(group.filter(({ turn }) => turn === 0).map(({ outside }) => outside)),
        warm: figure(later.map(({ outside }) => outside)),
        call: figure(group.map(({ call }) => call)),
        busy: figure(later.map(({ busy }) => busy)),
      },
    ];
  });
}

export function figure(values: readonly number[]): Figure {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const lower = sorted.length % 2 === 0 ? (sorted[middle - 1] ?? upper) : upper;
  return {
    median: (lower + upper) / 2,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
    count: sorted.length,
  };
}

/** How far the values lie apart, as a part of their median. */
export function spread({ median, least, most }: Figure): number {
  return median === 0 ? 0 : (most - least) / median;
}

export function costOf(
  costs: readonly Cost[],
  work: WorkName,
  program: ProgramName,
): Cost | undefined {
  return costs.find((cost) => cost.work === work && cost.program === program);
}

export function writeJson(path: string, value: unknown): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Every run; those of works that were not measured now as they were, where they are of the same versions. */
export function writeRuns(runs: readonly Run[], same: boolean): void {
  const measured = new Set(runs.map(({ work }) => work));
  const before: { readonly instructions: readonly Run[] } =
    same && existsSync(runsPath)
      ? JSON.parse(readFileSync(runsPath, "utf8"))
      : { instructions: [] };
  const others = before.instructions.filter(({ work }) => !measured.has(work));
  writeJson(runsPath, { instructions: [...others, ...runs] });
}

/** @throws Error when nothing was recorded yet. */
export function readRecorded(): Results {
  // Written by this program and kept under version control: its shape is known.
  const recorded: Results = JSON.parse(readFileSync(recordedPath, "utf8"));
  return recorded;
}
