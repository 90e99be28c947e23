/** What it costs to carry: bytes in the initramfs, by part. */
import { readFileSync, statSync } from "node:fs";
import { basename } from "node:path";
import { temporaryPath } from "../vm/lib/host.ts";
import type { HostFile } from "../vm/lib/initramfs.ts";
import { kexecTools, minisign, programFiles } from "../vm/lib/programs.ts";

/** Bytes. */
export interface Part {
  readonly name: string;
  readonly raw: number;
  readonly zstd: number;
  readonly xz: number;
}

export interface CarryResults {
  readonly parts: readonly Part[];
}

/**
 * Compresses the binary, the C library that every dynamic program needs, and what the programs of
 * today need beside it; each by itself.
 */
export async function measureCarry(
  binary: string,
  report: (line: string) => void,
): Promise<CarryResults> {
  const library = programFiles("x86_64", [{ path: "/sbin/aegis-kexec", source: binary }]);
  const shared = new Set(library.map(({ path }) => path));
  const beside = (files: readonly HostFile[]) => files.filter(({ path }) => !shared.has(path));
  const groups: readonly (readonly [string, readonly HostFile[]])[] = [
    ["aegis-kexec", library.filter(({ source }) => source === binary)],
    ["the C library it needs", library.filter(({ source }) => source !== binary)],
    ["kexec-tools and its libraries", beside(programFiles("x86_64", [kexecTools()]))],
    ["minisign and its libraries", beside(programFiles("x86_64", [minisign()]))],
  ];
  const parts: Part[] = [];
  for (const [name, files] of groups) {
    report(`carrying: ${name} (${files.map(({ path }) => basename(path)).join(" ")})`);
    const together = temporaryPath("part");
    await Bun.write(together, Buffer.concat(files.map(({ source }) => readFileSync(source))));
    parts.push({
      name,
      raw: statSync(together).size,
      zstd: await compressed(["zstd", "-19", "-q", "-c", together]),
      xz: await compressed(["xz", "-9", "-c", together]),
    });
  }
  return { parts };
}

async function compressed(command: readonly string[]): Promise<number> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "pipe", stderr: "inherit" });
  let size = 0;
  for await (const bytes of child.stdout) size += bytes.length;
  if ((await child.exited) !== 0) throw new Error(`failed: ${command.join(" ")}`);
  return size;
}
