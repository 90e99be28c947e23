/** Which tests passed on which machines: records of the last run of each job, kept in the cache. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Shown } from "../vm/lib/witness.ts";
import { root } from "./jobs.ts";

const folder = join(root, ".cache", "tested");

/** A new record for a job; of others, that of their last run stays. @returns its path. */
export function beginRecord(job: string): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${job.replaceAll("/", "+")}.jsonl`);
  rmSync(path, { force: true });
  return path;
}

/** What each job showed, by its name. */
export function readRecords(from = folder): Map<string, readonly Shown[]> {
  if (!existsSync(from)) return new Map();
  const files = readdirSync(from).filter((file) => file.endsWith(".jsonl"));
  return new Map(
    files.sort().map((file) => {
      const lines = readFileSync(join(from, file), "utf8").trim().split("\n");
      const job = file.slice(0, -".jsonl".length).replaceAll("+", "/");
      return [job, lines.map((line): Shown => JSON.parse(line))] as const;
    }),
  );
}
