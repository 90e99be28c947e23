/**
 * `bun run bench`: measures aegis-kexec beside what one would use instead, records the results and
 * writes them into docs/measurements.md.
 *
 *   bun run bench                     everything: about an hour
 *   bun run bench --short             start-up and the loads of 1 MiB: a minute; records nothing
 *   bun run bench --check             all but the largest, and fails where a recorded ratio was lost
 *   bun run bench --check --short     the same for the short works: part of the tests
 *   bun run bench --only plain-60     these works only (repeat it); records nothing
 *   bun run bench --part host         this part only (repeat it), and records it
 *   bun run bench --part instructions --only plain-60   the counts of these works, and records them
 */
import { parseArgs } from "node:util";
import { SetupError, setup } from "../setup.ts";

const { values } = parseArgs({
  args: process.argv.slice(2),
  options: {
    short: { type: "boolean", default: false },
    check: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    part: { type: "string", multiple: true, default: [] },
  },
});

type PartName = import("./results.ts").PartName;

try {
  await setup("bench");
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  console.error(`bench: ${error.message}`);
  process.exit(1);
}
// What they import is installed by now.
const { measureAll } = await import("./measure.ts");
const { prepareScene } = await import("./scene.ts");
const { works } = await import("./works.ts");
const results = await import("./results.ts");
const { losses, ratios, tolerance } = await import("./check.ts");
const { millions } = await import("./table.ts");

const started = Date.now();
const report = (line: string) => {
  const seconds = String(Math.round((Date.now() - started) / 1000)).padStart(5);
  console.error(`${seconds} s  ${line}`);
};

const unknown = values.only.filter((name) => !works.some((work) => work.name === name));
if (unknown.length > 0) {
  console.error(
    `bench: no such work: ${unknown.join(", ")}; one of ${works.map((work) => work.name).join(", ")}`,
  );
  process.exit(2);
}
const unknownParts = values.part.filter((name) => !results.partNames.some((one) => one === name));
if (unknownParts.length > 0) {
  console.error(
    `bench: no such part: ${unknownParts.join(", ")}; one of ${results.partNames.join(", ")}`,
  );
  process.exit(2);
}
const partial =
  values.short || values.check || (values.only.length > 0 && !values.part.includes("instructions"));
const isWanted = (part: PartName) => values.part.length === 0 || values.part.includes(part);
const large = ["plain-200", "plain-1000"];
const wanted = works.filter(({ name, short }) => {
  if (values.only.length > 0) return values.only.includes(name);
  if (values.short) return short === true;
  return !partial || !large.includes(name);
});

const scene = await prepareScene(report);
// A large initramfs is there four times: on the ramfs, in the kernel's buffer, placed, and joined
const short = wanted.filter((work) => work.short === true);
const middle = wanted.filter(({ name, short }) => short !== true && name !== "plain-1000");
const largest = wanted.filter(({ name }) => name === "plain-1000");
const measureInstructions = async () => [
  ...(short.length === 0
    ? []
    : await measureAll(
        scene,
        {
          works: short,
          boots: partial ? 1 : 2,
          turns: 3,
          memory: 4096,
          icount: true,
          ratios: values.check,
        },
        report,
      )),
  // A minute a run, and one is as the next
  ...(middle.length === 0
    ? []
    : await measureAll(
        scene,
        { works: middle, boots: 1, turns: 3, memory: 4096, icount: true, ratios: values.check },
        report,
      )),
  ...(largest.length === 0
    ? []
    : await measureAll(
        scene,
        { works: largest, boots: 1, turns: 2, memory: 8192, icount: true, ratios: values.check },
        report,
      )),
];
const runs = isWanted("instructions") ? await measureInstructions() : [];
const instructions = results.summarise(runs);
for (const { work, program, warm, cold, call } of instructions) {
  console.log(
    `${work.padEnd(16)}${program.padEnd(30)}${millions(warm).padStart(8)} M warm${millions(cold).padStart(10)} M cold${millions(call).padStart(10)} M in the call`,
  );
}
for (const { work, reference, value } of ratios(instructions)) {
  console.log(`${work}: aegis-kexec costs ${value.toFixed(3)} of ${reference}`);
}

if (values.check) {
  const lost = losses(instructions, results.readRecorded());
  for (const line of lost) console.error(`bench: ${line}`);
  console.log(lost.length === 0 ? `nothing lost beyond ${tolerance * 100} %` : "lost");
  process.exit(lost.length === 0 ? 0 : 1);
}
if (partial) process.exit(0);

const { recordParts } = await import("./record.ts");
await recordParts(scene, { runs, smaller: [...short, ...middle], isWanted }, report);
report("recorded in test/bench/results and docs/measurements.md");
