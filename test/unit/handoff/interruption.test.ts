import { expect, test } from "bun:test";
import { join } from "node:path";

const root = join(import.meta.dir, "..", "..", "..");

/** A program of its own, for it ends by a signal. */
async function ended(body: string): Promise<{ out: string; signal: string }> {
  const code = `import { Interruption } from "${root}/src/handoff/stages/interruption.ts"; ${body}`;
  const child = Bun.spawn([process.execPath, "-e", code], { stdout: "pipe", stderr: "inherit" });
  const out = await new Response(child.stdout).text();
  await child.exited;
  return { out, signal: String(child.signalCode) };
}

const raise = 'process.kill(process.pid, "SIGTERM"); await Bun.sleep(100);';
const told = "await held.check().catch((error) => console.log(error.message));";

test("a signal is held back, seen, and obeyed in the end", async () => {
  const body = `{ using held = Interruption.start(); ${raise} console.log(held.came()); ${told} } console.log("on");`;
  expect(await ended(body)).toEqual({
    out: "true\ncannot go on: interrupted by SIGTERM\n",
    signal: "SIGTERM",
  });
});

test("one that is held twice is obeyed when nobody holds it any more", async () => {
  const body = `{ using outer = Interruption.start(); { using held = Interruption.start(); ${raise} } console.log(outer.came()); } console.log("on");`;
  expect(await ended(body)).toEqual({ out: "true\n", signal: "SIGTERM" });
});

test("no signal, nothing done", async () => {
  const body = `{ using held = Interruption.start(); ${told} } console.log("on");`;
  expect(await ended(body)).toEqual({ out: "on\n", signal: "null" });
});
