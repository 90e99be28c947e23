import { expect, test } from "bun:test";
import { parseMessage } from "../../../src/handoff/helper/process.ts";

test("steps are read back as they were told", () => {
  for (const step of [
    { kind: "done" },
    { kind: "read-only", id: 27 },
    { kind: "problem", text: "cannot flush /mnt", errno: 5 },
    { kind: "at", text: "flushing /mnt", device: "8:1" },
    { kind: "at", text: "flushing all other file systems" },
  ]) {
    expect<unknown>(parseMessage(JSON.stringify(step))).toEqual(step);
  }
});

test("what is no step is left out", () => {
  for (const line of [
    "",
    "x",
    "[]",
    "null",
    "{}",
    '{"kind":"read-only"}',
    '{"kind":"at","text":1}',
    '{"kind":"problem","text":"cannot flush /mnt"}',
  ]) {
    expect(parseMessage(line)).toBeUndefined();
  }
});
