import { expect, test } from "bun:test";
import { type ProgressEvent, ProgressLines } from "../../../../src/cli/output/progress-lines.ts";

function observed() {
  const events: ProgressEvent[] = [];
  const clock = { now: 0 };
  const lines = new ProgressLines(
    (line) => events.push(JSON.parse(line)),
    () => clock.now,
  );
  const words = () => events.map(({ phase, event, done }) => `${phase} ${event} ${done}`);
  return { lines, events, clock, words };
}

test("each phase begins and ends, and the next one ends the one before", () => {
  const { lines, events, clock, words } = observed();
  lines.update("opening k", 0, 0, "open");
  clock.now = 7;
  lines.update("copying the kernel", 50, 100, "copy");
  lines.update("copying the kernel", 100, 100, "copy");
  lines.update("giving", 0, 200, "call");
  lines.update("giving", 200, 200, "call");
  lines.end();
  expect(words()).toEqual([
    "open begin 0",
    "open end 0",
    "copy begin 0",
    "copy end 100",
    "call begin 0",
    "call end 200",
  ]);
  expect(events[1]).toEqual({
    phase: "open",
    event: "end",
    text: "opening k",
    done: 0,
    total: null,
    milliseconds: 7,
    error: null,
  });
});

test("bytes are told ten times a second, and two files of one phase apart", () => {
  const { lines, clock, words } = observed();
  for (let done = 1; done < 30; done++) {
    clock.now += 10;
    lines.update("verifying a", done, 30, "verify");
  }
  lines.update("verifying b", 1, 9, "verify");
  expect(words().filter((word) => word.includes("bytes"))).toHaveLength(2);
  expect(words().slice(-2)).toEqual(["verify end 29", "verify begin 0"]);
});

test("an error ends its phase by its code; nothing ends twice", () => {
  const { lines, events } = observed();
  lines.update("giving", 0, 10, "call");
  lines.end("lockdown");
  lines.end();
  expect(events).toHaveLength(2);
  expect(events[1]).toMatchObject({ event: "end", error: "lockdown" });
});

test("a text that commands a terminal is written so that it does not", () => {
  const written: string[] = [];
  const lines = new ProgressLines((line) => written.push(line));
  lines.update("opening \u001b[2J\n", 0, 0, "open");
  expect(written.join("")).not.toMatch(/[\u0000-\u001f]/);
});

test("a phase begins at 0, however long a look at the clock takes", () => {
  const events: ProgressEvent[] = [];
  let now = 100;
  const lines = new ProgressLines(
    (line) => events.push(JSON.parse(line)),
    () => (now += 9),
  );
  lines.update("opening k", 0, 0, "open");
  lines.end();
  expect(events.map(({ milliseconds }) => milliseconds)).toEqual([0, 9]);
});
