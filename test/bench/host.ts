/**
 * Verifying on the host's own processor. The emulated x86_64 has no instructions for SHA-256, which
 * makes ours look four times as dear as it is where there are some.
 */
import { linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { temporaryFolder } from "../vm/lib/host.ts";
import { type Figure, figure } from "./results.ts";
import type { Scene } from "./scene.ts";

/** Microseconds of the processor, user and system together. */
export interface HostPair {
  readonly title: string;
  readonly reference: string;
  readonly own: Figure;
  readonly other: Figure;
}

export interface HostResults {
  readonly processor: string;
  /** MB of kernel and archive together. */
  readonly megabytes: number;
  readonly pairs: readonly HostPair[];
}

const turns = 21;

/** Whether SHA-256 is among the processor's instructions: arch/x86/include/asm/cpufeatures.h. */
export function hashesInHardware(cpuinfo = readFileSync("/proc/cpuinfo", "utf8")): boolean {
  return /^(flags|Features)\s*:.*\b(sha_ni|sha2)\b/m.test(cpuinfo);
}

/** @returns undefined where the processor has no such instructions */
export async function measureHost(
  { files, binary }: Scene,
  report: (line: string) => void,
): Promise<HostResults | undefined> {
  if (!hashesInHardware()) return undefined;
  // Kernel, archive, manifest and signatures side by side, as a generation is
  const folder = temporaryFolder("generation");
  for (const { name, source } of files.generation) linkSync(source, join(folder, name));
  const kernel = join(folder, "vmlinuz");
  const archive = join(folder, "initrd.img");
  writeFileSync(kernel, readFileSync(files.kernel));
  linkSync(files.initrd, archive);
  const key = join(folder, "key");
  writeFileSync(key, new Uint8Array(32).fill(7));
  mkdirSync(join(folder, "work"));
  const joined = join(folder, "work", "joined.img");

  const own = [
    binary,
    "load",
    join(folder, "boot.json"),
    "--trust",
    files.minisignKey,
    "--dry-run",
  ];
  const verify = [kernel, archive]
    .map((path) => `minisign -V -q -p ${files.minisignKey} -m ${path}`)
    .join(" && ");
  const pairs: HostPair[] = [];
  for (const [title, reference, ours, theirs] of [
    ["a signed generation, load --dry-run", "minisign", own, verify],
    [
      "the same, and a secret appended",
      "minisign + cat",
      [...own, "--secret", `${key}:/run/disk.key`],
      `${verify} && cat ${archive} ${files.keyArchive} >${joined} && rm ${joined}`,
    ],
  ] as const) {
    const times: [own: number[], other: number[]] = [[], []];
    for (let turn = 0; turn < turns; turn++) {
      times[0].push(await processorTimeOf(ours));
      times[1].push(await processorTimeOf(["sh", "-c", theirs]));
    }
    // The first ones bring the files into the page cache.
    const [mine, other] = times.map((values) => figure(values.slice(1)));
    if (mine === undefined || other === undefined) continue;
    pairs.push({ title, reference, own: mine, other });
    report(`host: ${title}: ${(mine.median / other.median).toFixed(2)} of ${reference}`);
  }
  const megabytes = (readFileSync(kernel).length + readFileSync(archive).length) / 1e6;
  return { processor: cpus()[0]?.model ?? "unknown", megabytes: Math.round(megabytes), pairs };
}

/** Of a command and the processes that it waits for. */
async function processorTimeOf(command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const said = await new Response(child.stderr).text();
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(" ")}: ${said}`);
  return Number(child.resourceUsage()?.cpuTime.total ?? 0);
}
