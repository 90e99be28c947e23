import { describe, expect, test } from "bun:test";
import { losses } from "../../bench/check.ts";
import { readTrace, type Sample } from "../../bench/instrument.ts";
import { withSection } from "../../bench/readme.ts";
import { spread, summarise } from "../../bench/results.ts";

function event(task: string, seconds: string, what: string): string {
  return `${task.padStart(16)}-7     [000] ..... ${seconds}: ${what}`;
}

const begin = event("sh", "1.000000", "tracing_mark_write: bench-begin");
const end = event("sh", "1.000900", "tracing_mark_write: bench-end");
const enter = event("kexec", "1.000300", "sys_kexec_file_load(kernel_fd: 3, initrd_fd: 4)");
const exit = event("kexec", "1.000700", "sys_kexec_file_load -> 0x0");
const sleep = (at: string) =>
  event(
    "sh",
    at,
    "sched_switch: prev_comm=sh prev_pid=7 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120",
  );
const wake = (at: string) =>
  event(
    "<idle>",
    at,
    "sched_switch: prev_comm=swapper/0 prev_pid=0 prev_prio=120 prev_state=R ==> next_comm=sh next_pid=7 next_prio=120",
  );

describe("readTrace", () => {
  test("tells the call from what is outside, and leaves out idle time in both", () => {
    const trace = [
      begin,
      sleep("1.000100"),
      wake("1.000150"),
      enter,
      sleep("1.000400"),
      wake("1.000500"),
      exit,
      end,
    ];
    const sample: Sample = readTrace(trace.join("\n"));
    expect(Math.round(sample.busy)).toBe(750_000);
    expect(Math.round(sample.call)).toBe(300_000);
    expect(Math.round(sample.outside)).toBe(450_000);
    expect(Math.round(sample.idle)).toBe(150_000);
  });

  test.each([
    ["no end", [begin]],
    ["two beginnings", [begin, begin, end]],
    ["a wake without a sleep", [begin, wake("1.000500"), end]],
    ["an exit without an enter", [begin, exit, end]],
    ["an enter without an exit", [begin, enter, end]],
  ])("refuses a trace with %s", (_, lines) => {
    expect(() => readTrace(lines.join("\n"))).toThrow();
  });
});

describe("figures", () => {
  const run = (program: "kexec-tools" | "aegis-kexec", turn: number, outside: number) =>
    ({
      work: "plain-60",
      program,
      boot: 0,
      turn,
      busy: outside,
      call: 0,
      outside,
      idle: 0,
    }) as const;
  const measured = (own: number) =>
    summarise([
      run("kexec-tools", 0, 120),
      run("kexec-tools", 1, 100),
      run("aegis-kexec", 0, 90),
      run("aegis-kexec", 1, own),
      run("aegis-kexec", 2, own + 2),
    ]);

  test("keep the first run apart from the later ones", () => {
    const own = measured(50).find(({ program }) => program === "aegis-kexec");
    expect(own?.cold.median).toBe(90);
    expect(own?.warm).toEqual({ median: 51, least: 50, most: 52, count: 2 });
    expect(own && spread(own.warm)).toBeCloseTo(2 / 51);
  });

  test("a loss over 3 % is told, one below is not", () => {
    const recorded = { versions: {}, guest: "", instructions: measured(50), missing: {} };
    expect(losses(measured(51), recorded)).toEqual([]);
    expect(losses(measured(54), recorded)).toHaveLength(1);
  });
});

test("a section goes between its marks, and what is around them stays", () => {
  const once = withSection("# Title\n\nText\n", "one");
  expect(once).toBe("# Title\n\nText\n\n<!-- bench -->\none\n<!-- /bench -->\n");
  expect(withSection(`${once}after\n`, "two")).toBe(`${once.replace("one", "two")}after\n`);
});
