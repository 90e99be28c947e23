/** Which tests passed on which machines: records of the last run of each job, kept in the cache. */
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Shown } from "../vm/lib/witness.ts";
import { root } from "./jobs.ts";

const folder = join(root, ".cache", "tested");

/** A job that runs anew shows all of it anew; of others, what their last runs showed stays. */
export function dropRecord(job: string): void {
  rmSync(join(folder, `${job.replaceAll("/", "+")}.jsonl`), { force: true });
}

/** What each job showed, by its name. */
export function readRecords(from = folder): Map<string, readonly Shown[]> {
  if (!existsSync(from)) return new Map();
  const files = readdirSync(from).filter((file) => /^(vm|musl)\+.*\.jsonl$/.test(file));
  return new Map(
    files.sort().map((file) => {
      const lines = readFileSync(join(from, file), "utf8").trim().split("\n");
      // A test that ran several times: its last run
      const last = new Map(
        lines.map((line) => {
          const shown: Shown = JSON.parse(line);
          return [shown.test, shown] as const;
        }),
      );
      const job = file.slice(0, -".jsonl".length).replaceAll("+", "/");
      return [job, [...last.values()]] as const;
    }),
  );
}
