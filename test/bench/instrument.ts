/** From a kernel trace to what one run cost. */

/** What one run cost, in the units of the guest's clock: see `Cost`. */
export interface Sample {
  /** All that the processor did from the command's start to its end, idle time excluded. */
  readonly busy: number;
  /** The part of `busy` inside kexec_file_load(2). */
  readonly call: number;
  /** The part of `busy` before and after it. */
  readonly outside: number;
  /** Time in which the processor had nothing to do. */
  readonly idle: number;
}

interface Mark {
  /** Nanoseconds of the guest's clock; under `-icount shift=0` that many instructions. */
  readonly at: number;
  readonly what: "begin" | "end" | "enter" | "exit" | "sleep" | "wake";
}

/**
 * Reads the trace that `measure` of guest/measure.sh prints.
 * @throws Error when a mark is missing or they are out of order
 */
export function readTrace(trace: string): Sample {
  const marks = trace.split("\n").flatMap(readLine);
  const begin = only(marks, "begin");
  const end = only(marks, "end");
  const inside = marks.filter(({ at }) => at >= begin && at <= end);
  let idle = 0;
  let idleInCall = 0;
  let call = 0;
  let asleep: number | undefined;
  let entered: number | undefined;
  for (const { at, what } of inside) {
    if (what === "sleep") asleep = at;
    else if (what === "wake") {
      // Without a beginning it was idle since before the first mark, which cannot be.
      if (asleep === undefined) throw new Error("the trace has lost marks");
      idle += at - asleep;
      if (entered !== undefined) idleInCall += at - asleep;
      asleep = undefined;
    } else if (what === "enter") entered = at;
    else if (what === "exit") {
      if (entered === undefined) throw new Error("a system call ended that had not begun");
      call += at - entered;
      entered = undefined;
    }
  }
  if (entered !== undefined || asleep !== undefined) throw new Error("the trace ends too early");
  const busy = end - begin - idle;
  call -= idleInCall;
  return { busy, call, outside: busy - call, idle };
}

/** As in `sh-123 [000] ..... 12.345678: sched_switch: prev_comm=sh prev_pid=123 …`. */
const line = /^.{16}-\d+\s+\[\d+\]\s+\S+\s+(\d+)\.(\d{6}): (.*)$/;

function readLine(text: string): Mark[] {
  const match = line.exec(text);
  if (match === null) return [];
  const [, seconds = "", microseconds = "", event = ""] = match;
  const what = meaning(event);
  if (what === undefined) return [];
  return [{ at: Number(seconds) * 1e9 + Number(microseconds) * 1e3, what }];
}

function meaning(event: string): Mark["what"] | undefined {
  if (event.startsWith("tracing_mark_write: bench-begin")) return "begin";
  if (event.startsWith("tracing_mark_write: bench-end")) return "end";
  if (event.startsWith("sys_kexec_file_load(")) return "enter";
  if (event.startsWith("sys_kexec_file_load -> ")) return "exit";
  if (/^sched_switch: .* next_pid=0 /.test(event)) return "sleep";
  if (/^sched_switch: .* prev_pid=0 /.test(event)) return "wake";
  return undefined;
}

function only(marks: readonly Mark[], what: Mark["what"]): number {
  const [mark, second] = marks.filter((one) => one.what === what);
  if (mark === undefined || second !== undefined) throw new Error(`not one "${what}" in the trace`);
  return mark.at;
}
