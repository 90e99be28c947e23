/** The bench's short form: a few works, counted in guest instructions whatever the host does. */
import { expect } from "bun:test";
import { vmTest } from "../vm/lib/suite.ts";
import { losses } from "./check.ts";
import { measureAll } from "./measure.ts";
import { readRecorded, summarise } from "./results.ts";
import { prepareScene } from "./scene.ts";
import { works } from "./works.ts";

// Ratios of another runtime say nothing of this one: `bun run bench` records them anew.
const recorded = readRecorded();
const sameRuntime = recorded.versions["Bun"] === Bun.version;

vmTest(
  "start-up, loading and verifying cost what is recorded",
  {
    needs: [
      "debian-6.12",
      "shared-x86_64",
      "package:kexec-tools:amd64",
      "tool:minisign",
      ...(sameRuntime ? [] : [`file:figures of Bun ${Bun.version}, by bun run bench` as const]),
    ],
    timeout: 900,
  },
  async () => {
    const said: string[] = [];
    const report = (line: string) => said.push(line);
    const short = works.filter((work) => work.short === true);
    const plan = { works: short, boots: 1, turns: 3, memory: 4096, icount: true };
    const runs = await measureAll(await prepareScene(report), plan, report);
    expect(losses(summarise(runs), recorded)).toEqual([]);
  },
);
