import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { planOf } from "../../../../src/cli/kexec/plan.ts";
import { clients } from "../../../vm/scenarios/kexec-clients.ts";
import { told } from "./told.ts";

const folder = mkdtempSync(join(tmpdir(), "aegis-clients-"));
afterAll(() => rmSync(folder, { recursive: true }));
// For lines that hand open files over
for (const name of ["K", "I"]) writeFileSync(join(folder, name), "");

/** The words that a shell makes of a client's line. */
function wordsOf(line: string): string[] {
  const script = `K=K I=I; kexec() { for word; do printf '%s\\0' "$word"; done; }; ${line}`;
  const { stdout, success } = Bun.spawnSync(["sh", "-c", script], { cwd: folder });
  if (!success) throw new Error(`sh: ${line}`);
  return stdout.toString().split("\0").slice(0, -1);
}

test.each(clients.map((client) => [client.who, client] as const))("%s", (_, { line, plan }) => {
  expect(told(planOf(wordsOf(line), "x86_64"))).toBe(plan);
});
