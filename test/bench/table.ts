/** The results in words and tables, for docs/measurements.md. */
import { ratios } from "./check.ts";
import { type Cost, costOf, type Figure, type Results, spread } from "./results.ts";
import { programNames, workNamed, works } from "./works.ts";

/** Repeats that differ by more are shown with how far they do. */
const agreement = 0.02;

/** The section between the page's marks, in Markdown. */
export function section(results: Results): string {
  return [
    ...lost(results),
    "",
    picture("../"),
    "",
    `Millions of guest instructions *outside* the system call, idle time excluded (${results.guest}). ` +
      `Cold: the first run in each of ${guests(results)} freshly booted; warm: the median of the later runs. ` +
      "The call itself is the kernel's own work, whoever makes it, and varies with what memory was used before: it stands apart. " +
      "`bun run bench` measures all of this again; every run is in `test/bench/results`.",
    "",
    ...hostTable(results),
    ...costTable(results),
    ...startUpTable(results),
    ...aarch64Table(results),
    ...layoutTable(results),
    ...timeTable(results),
    ...rest(results),
    ...missing(results),
    "",
    `Versions: ${Object.entries(results.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}.`,
  ].join("\n");
}

/** The figure, from a file in the folder below which `up` is the repository's. */
export function picture(up: "" | "../"): string {
  const path = `${up}test/bench/results/bench`;
  return `<picture><source media="(prefers-color-scheme: dark)" srcset="${path}-dark.svg"><img alt="Guest instructions outside the system call, by program and work" src="${path}-light.svg"></picture>`;
}

/** How many guests most works were measured in. */
function guests({ instructions }: Results): string {
  const count = Math.max(...instructions.map(({ cold }) => cold.count));
  return count === 1 ? "1 guest" : `${count} guests`;
}

function articled(reference: string): string {
  return reference.startsWith("empty") ? `an ${reference}` : reference;
}

function lost({ instructions, time, carry, handoff }: Results): string[] {
  const found = ratios(instructions)
    .filter(({ value, reference }) => value > (reference === "empty Bun program" ? 1.15 : 1))
    .map(
      ({ work, reference, value }) =>
        `to ${workNamed(work).title} costs ${value.toFixed(2)} × what ${articled(reference)} costs`,
    );
  for (const { work, reference, value } of time === undefined ? [] : wallRatios(time)) {
    if (value > 1.02) {
      found.push(
        `to ${workNamed(work).title} takes ${value.toFixed(2)} × the time of ${articled(reference)}`,
      );
    }
  }
  if (handoff !== undefined && handoff.aegis.median > handoff.kexecTools.median) {
    found.push(
      `from the command to the next kernel's init takes ${seconds(handoff.aegis)}, ` +
        `by kexec-tools ${seconds(handoff.kexecTools)}, by ${handoff.firmwareName} ${seconds(handoff.firmware)}`,
    );
  }
  const [own, , tools] = carry?.parts ?? [];
  if (own !== undefined && tools !== undefined) {
    found.push(
      `the binary is ${mebibytes(own.raw)} (zstd ${mebibytes(own.zstd)}), ` +
        `kexec-tools ${mebibytes(tools.raw)} (${mebibytes(tools.zstd)})`,
    );
  }
  if (found.length === 0) return ["It loses nowhere."];
  return ["Where it loses:", "", ...found.map((one) => `- ${one}`)];
}

/** What a user's machine does. */
function hostTable({ host }: Results): string[] {
  if (host === undefined) return [];
  const milliseconds = (value: Figure) => `${(value.median / 1000).toFixed(0)} ms`;
  return [
    `On a processor that has instructions for SHA-256 (${host.processor}, no emulation), processor time of user and ` +
      `system for ${host.megabytes} MB of kernel and archive, medians of runs in turn. The emulated x86_64 processor of the other ` +
      "tables has none: what verifies looks several times as dear there.",
    "",
    "| work | aegis-kexec | beside | takes | aegis-kexec is |",
    "|---|--:|---|--:|--:|",
    ...host.pairs.map(
      ({ title, reference, own, other }) =>
        `| ${title} | ${milliseconds(own)} | ${reference} | ${milliseconds(other)} | ${(own.median / other.median).toFixed(2)}× |`,
    ),
    "",
    "Emulated:",
    "",
  ];
}

function costTable({ instructions }: Results): string[] {
  const rows = works.flatMap((work) =>
    programNames.flatMap((program) => {
      const cost = costOf(instructions, work.name, program);
      const own = costOf(instructions, work.name, "aegis-kexec");
      if (cost === undefined) return [];
      const ratio =
        own === undefined || program === "aegis-kexec"
          ? ""
          : `${(own.warm.median / cost.warm.median).toFixed(2)}×`;
      return [
        `| ${work.title} | ${program} | ${millions(cost.warm)} | ${millions(cost.cold)} | ${millions(cost.call)} | ${ratio} |`,
      ];
    }),
  );
  return [
    "| work | program | warm | cold | the call | aegis-kexec is |",
    "|---|---|--:|--:|--:|--:|",
    ...rows,
  ];
}

function timeTable({ time }: Results): string[] {
  if (time === undefined) return [];
  const rows = wallRatios(time).map(
    ({ work, reference, value }) =>
      `| ${workNamed(work).title} | ${reference} | ${value.toFixed(2)}× |`,
  );
  return [
    "",
    "Wall time from start to end, the call included, medians of runs by turns under software emulation:",
    "",
    "| work | beside | aegis-kexec takes |",
    "|---|---|--:|",
    ...rows,
  ];
}

/** Like `ratios`, of the whole time. */
export function wallRatios(time: readonly Cost[]): ReturnType<typeof ratios> {
  return works.flatMap(({ name, reference }) => {
    const own = costOf(time, name, "aegis-kexec");
    const other = costOf(time, name, reference);
    if (own === undefined || other === undefined) return [];
    return [{ work: name, reference, value: own.busy.median / other.busy.median }];
  });
}

/** What the kernel's part depends on. */
function layoutTable({ layout }: Results): string[] {
  if (layout === undefined) return [];
  return [
    "",
    "The call itself, in a guest of 2048 MiB, by what was done after a first load. A page that lies where the image must " +
      "go at the jump costs the kernel a walk through all pages so far (`kernel/kexec_core.c`, `kimage_dst_used`), and " +
      "where memory ends below 4 GiB, such pages may be the first that its allocator hands out: those of an image that " +
      "was unloaded, or of the first initramfs. Neither dropping caches nor compacting nor taking memory beforehand " +
      "steers that. To load over what is loaded, as this program does, keeps those pages from the next load, not from the one after.",
    "",
    "| before the load | the call |",
    "|---|--:|",
    ...layout.map(({ before, call }) => `| ${before} | ${(call / 1e6).toFixed(0)} |`),
  ];
}

/** Where the instructions of a load go. */
function startUpTable({ startUp, instructions }: Results): string[] {
  const own = costOf(instructions, "plain-60", "aegis-kexec");
  if (startUp === undefined || own === undefined) return [];
  return [
    "",
    "Programs of a few lines, compiled alike, show what is in the figure of a load. What they do not have is the functions of " +
      "this program, each run once: the runtime decodes and links what it has not run before, some 10,000 to 60,000 instructions a function.",
    "",
    "| program | instructions |",
    "|---|--:|",
    ...startUp.map(({ program, instructions: cost }) => `| ${program} | ${millions(cost)} |`),
    `| a load of 60 MiB, outside the call | ${millions(own.warm)} |`,
  ];
}

function aarch64Table({ aarch64 }: Results): string[] {
  if (aarch64 === undefined) return [];
  return [
    "",
    "On aarch64, whose model has instructions for SHA-256 (the x86_64 one has none), whole dry runs, warm:",
    "",
    "| work | program | instructions |",
    "|---|---|--:|",
    ...aarch64.map(
      ({ title, program, instructions }) => `| ${title} | ${program} | ${millions(instructions)} |`,
    ),
  ];
}

function rest({ peak, leastMemory, carry, handoff }: Results): string[] {
  const lines: string[] = [];
  if (handoff !== undefined) {
    lines.push(
      "",
      `From the command to the next kernel's init, emulated, each time on a machine that was freshly booted: ${seconds(handoff.aegis)} ` +
        `by aegis-kexec, ${seconds(handoff.kexecTools)} by kexec-tools, ${seconds(handoff.firmware)} by a reboot through ${handoff.firmwareName}.`,
    );
  }
  if (peak !== undefined) {
    lines.push("", "| peak memory of | archives | anonymous | resident |", "|---|--:|--:|--:|");
    for (const { program, archives, anonymous, resident } of peak) {
      lines.push(
        `| ${program} | ${archives} MiB | ${mebibytes(anonymous)} | ${mebibytes(resident)} |`,
      );
    }
  }
  if (leastMemory !== undefined) {
    const all = leastMemory.map(
      ({ program, megabytes, boots }) =>
        `${megabytes} MiB with ${program} (its initramfs alone boots in ${boots} MiB)`,
    );
    lines.push(
      "",
      `Least memory for a handover to Debian's kernel with an initramfs of 60 MiB, out of an initramfs compressed by zstd: ${all.join(", ")}.`,
    );
  }
  if (carry !== undefined) {
    lines.push("", "| in the initramfs | raw | zstd -19 | xz -9 |", "|---|--:|--:|--:|");
    for (const { name, raw, zstd, xz } of carry.parts) {
      lines.push(`| ${name} | ${mebibytes(raw)} | ${mebibytes(zstd)} | ${mebibytes(xz)} |`);
    }
  }
  return lines;
}

function missing({ missing: found }: Results): string[] {
  const all = Object.entries(found).map(([program, why]) => `${program} (${why})`);
  return all.length === 0 ? [] : ["", `Not measured: ${all.join("; ")}.`];
}

/** In millions, with the spread where repeats do not agree. */
export function millions(value: Figure): string {
  const shown = (value.median / 1e6).toFixed(value.median < 1e8 ? 1 : 0);
  const apart = spread(value);
  return apart <= agreement || value.median < 1e5
    ? shown
    : `${shown} (±${((apart / 2) * 100).toFixed(0)} %)`;
}

export function seconds({ median, least, most }: Figure): string {
  return `${median.toFixed(1)} s (${least.toFixed(1)}–${most.toFixed(1)})`;
}

export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
