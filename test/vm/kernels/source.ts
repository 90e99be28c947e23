/** The source that the kernels are built from: Debian's, of a suite newer than the tests' own. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Apt, download, lastLine, output, privateApt } from "../lib/apt.ts";
import { builtFolder, findSource, sourceRecord } from "../lib/built-kernels.ts";

/** 6.19 is the first with Live Update; the configurations were written for 7.2. */
const series = "7.2";
const suites = ["sid", "trixie-backports"] as const;

/**
 * The folder of the unpacked source; downloaded once.
 * @throws Error where no suite has it.
 */
export async function kernelSource(report: (line: string) => void): Promise<string> {
  const found = findSource();
  if (found !== undefined) return found;
  mkdirSync(builtFolder, { recursive: true });
  const problems: string[] = [];
  for (const suite of suites) {
    report(`reading the package lists of Debian ${suite}`);
    const apt = await privateApt(builtFolder, suite);
    if (typeof apt === "string") {
      problems.push(apt);
      continue;
    }
    try {
      return await fetchSource(apt, report);
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error));
    } finally {
      rmSync(apt.folder, { recursive: true, force: true });
    }
  }
  throw new Error(`cannot get the source of a kernel: ${problems.join("; ")}`);
}

async function fetchSource(apt: Apt, report: (line: string) => void): Promise<string> {
  const found = await output(["apt-cache", "search", "--names-only", "^linux-source-[0-9]"], apt);
  const names = [...found.stdout.matchAll(/^linux-source-([0-9.]+) /gm)].map(([, one = ""]) => one);
  const version = names.includes(series) ? series : names.sort(Bun.semver.order).at(-1);
  if (version === undefined) throw new Error("the suite has no package linux-source");
  report(`downloading linux-source-${version}: 160 MB`);
  const got = await download(`linux-source-${version}`, apt);
  if ("problem" in got) throw new Error(got.problem);
  report("unpacking it: 2 GB");
  await check(["dpkg-deb", "--extract", got.archive, apt.folder]);
  const folder = `linux-source-${version}`;
  rmSync(join(builtFolder, folder), { recursive: true, force: true });
  const archive = readdirSync(join(apt.folder, "usr/src")).find((file) => file.endsWith(".tar.xz"));
  if (archive === undefined) throw new Error("the package holds no source");
  await check(["tar", "-xJf", join(apt.folder, "usr/src", archive), "-C", builtFolder]);
  writeFileSync(sourceRecord, `${folder}\n`);
  return join(builtFolder, folder);
}

async function check(command: string[]): Promise<void> {
  const { exit, stderr } = await output(command);
  if (exit !== 0) throw new Error(`${command[0]}: ${lastLine(stderr)}`);
}
