/** The phases of the work as JSON lines, for programs: `--progress json`. */
import type { ErrorCode } from "../../errors.ts";
import type { Phase } from "../../listener.ts";
import { visibleJson } from "../../visible.ts";

/** Milliseconds between two lines of one phase. */
const EVERY_MS = 100;

/** One line. */
export interface ProgressEvent {
  readonly phase: Phase;
  readonly event: "begin" | "bytes" | "end";
  /** For people: what is being done. */
  readonly text: string;
  /** Bytes; `total` is null where it is not known. */
  readonly done: number;
  readonly total: number | null;
  /** Since the beginning of the phase. */
  readonly milliseconds: number;
  /** Of an end: the code of the error that ended it, or null. */
  readonly error?: ErrorCode | null;
}

/** Makes events of what is heard. One phase at a time: the next one ends the one before. */
export class ProgressLines {
  private current: Omit<ProgressEvent, "event" | "milliseconds"> | undefined;
  private begun = 0;
  private told = 0;

  /** `now` is a clock in milliseconds. */
  constructor(
    private readonly write: (line: string) => void,
    private readonly now: () => number = () => performance.now(),
  ) {}

  update(text: string, done: number, total: number, phase: Phase): void {
    const next = { phase, text, done, total: total === 0 ? null : total };
    if (this.current?.phase !== phase || this.current.text !== text) {
      this.end();
      this.current = { ...next, done: 0 };
      this.begun = this.now();
      this.tell("begin");
    }
    this.current = next;
    if (total > 0 && done >= total) this.end();
    else if (done > 0 && this.now() - this.told >= EVERY_MS) this.tell("bytes");
  }

  /** The phase that goes on is over; `error` is what it failed by. */
  end(error: ErrorCode | null = null): void {
    if (this.current === undefined) return;
    this.tell("end", { error });
    this.current = undefined;
  }

  private tell(event: ProgressEvent["event"], more: Pick<ProgressEvent, "error"> = {}): void {
    if (this.current === undefined) return;
    const { phase, text, done, total } = this.current;
    // Not the clock once more: between two looks a slow machine lets milliseconds pass
    this.told = event === "begin" ? this.begun : this.now();
    const milliseconds = Math.round(this.told - this.begun);
    this.write(visibleJson({ phase, event, text, done, total, milliseconds, ...more }));
  }
}
