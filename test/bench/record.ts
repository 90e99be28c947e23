/** Measures everything beside the counts, and writes down what was measured. */
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { measureAarch64 } from "./aarch64.ts";
import { measureCarry } from "./carry.ts";
import { figureSvg } from "./figure.ts";
import { measureHandoff } from "./handoff.ts";
import { measureHost } from "./host.ts";
import { measureLayout } from "./layout.ts";
import { measureLeastMemory } from "./least-memory.ts";
import { measureAll, type Run } from "./measure.ts";
import { measurePeakMemory } from "./peak-memory.ts";
import { writeSection } from "./readme.ts";
import * as results from "./results.ts";
import type { Scene } from "./scene.ts";
import { measureStartUp } from "./start-up.ts";
import { summary } from "./summary.ts";
import { section } from "./table.ts";
import { versions } from "./versions.ts";
import type { Work } from "./works.ts";

interface Wanted {
  /** The counts, measured already; empty where they are not wanted. */
  readonly runs: readonly Run[];
  /** Whose time is taken. */
  readonly smaller: readonly Work[];
  isWanted(part: results.PartName): boolean;
}

export async function recordParts(
  scene: Scene,
  { runs, smaller, isWanted }: Wanted,
  report: (line: string) => void,
): Promise<void> {
  /** The part under its name, where it is wanted and can be measured here. */
  const part = async <Name extends results.PartName, Value>(
    name: Name,
    measure: () => Promise<Value | undefined>,
  ): Promise<{ [Key in Name]?: Value }> => {
    const value = isWanted(name) ? await measure() : undefined;
    return value === undefined ? {} : ({ [name]: value } as { [Key in Name]?: Value });
  };
  const now = {
    versions: await versions(),
    guest:
      "QEMU -icount shift=0,sleep=off, -cpu max, one processor, 4096 MiB, 8192 MiB for plain-1000",
    missing: {
      ...Object.fromEntries(scene.missing),
      "u-root's kexec": "Debian does not package it",
    },
    ...(runs.length === 0 ? {} : { instructions: results.summarise(runs) }),
    ...(await part("host", () => measureHost(scene, report))),
    ...(await part("carry", () => measureCarry(scene.binary, report))),
    ...(await part("leastMemory", () => measureLeastMemory(scene, report))),
    ...(await part("startUp", () => measureStartUp(report))),
    ...(await part("aarch64", () => measureAarch64(scene, report))),
    ...(await part("peak", () => measurePeakMemory(scene, [50, 800], report))),
    ...(await part("layout", () => measureLayout(scene, report))),
    ...(await part("handoff", () => measureHandoff(scene, 3, report))),
    ...(await part("time", async () => {
      report("wall time");
      const plan = { works: smaller, boots: 1, turns: 4, memory: 4096, icount: false };
      return results.summarise(await measureAll(scene, plan, report));
    })),
  } satisfies results.Measured;
  // Now, not before: another part may have been recorded meanwhile.
  const recorded = existsSync(results.recordedPath) ? results.readRecorded() : undefined;
  const whole = results.merged(recorded, now);
  if (runs.length > 0)
    results.writeRuns(
      runs,
      recorded !== undefined && results.areSame(recorded.versions, now.versions),
    );
  results.writeJson(results.recordedPath, whole);
  for (const theme of ["light", "dark"] as const) {
    await Bun.write(join(results.resultsFolder, `bench-${theme}.svg`), figureSvg(whole, theme));
  }
  const root = resolve(import.meta.dir, "../..");
  await writeSection(join(root, "docs/measurements.md"), section(whole));
  await writeSection(join(root, "README.md"), summary(whole));
}
