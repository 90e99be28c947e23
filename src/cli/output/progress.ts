/** One line on the terminal that shows how far long work is. */

import { visible } from "../../visible.ts";
import { WIDTH } from "./layout.ts";
import { STDERR, writeInPlace } from "./streams.ts";

/** Shorter work shows nothing. */
const QUIET_MS = 1000;
const REDRAW_MS = 100;

export class Progress {
  private started: number | undefined;
  private drawn: number | undefined;
  private step:
    | { readonly name: string; readonly since: number; readonly from: number }
    | undefined;

  /** `now` is a clock in milliseconds; `write` draws on the line. */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly write: (text: string) => void = (text) => writeInPlace(STDERR, text),
  ) {}

  /** `rated`: what comes from elsewhere, of which rate and rest are told. */
  update(step: string, done: number, total: number, rated = false): void {
    const now = this.now();
    this.started ??= now;
    if (rated && this.step?.name !== step) this.step = { name: step, since: now, from: done };
    if (now - this.started < QUIET_MS) return;
    if (this.drawn !== undefined && now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    const rate = rated ? this.rate(done, now) : undefined;
    this.write(`\r${progressLine(step, done, total, rate).padEnd(WIDTH)}`);
  }

  /** Bytes a second since the step began. */
  private rate(done: number, now: number): number | undefined {
    if (this.step === undefined || now <= this.step.since) return undefined;
    return ((done - this.step.from) / (now - this.step.since)) * 1000;
  }

  /** Says that something of this size is going on, of which nothing is heard until it is over. */
  wait(step: string | undefined, size: number): void {
    this.clear();
    if (step === undefined) return;
    this.drawn = this.now();
    const figures = ` (${formatBytes(size)}) ...`;
    this.write(`\r${(visible(step).slice(0, WIDTH - figures.length) + figures).padEnd(WIDTH)}`);
  }

  /** Takes the line away, so that another can be written in its place. */
  clear(): void {
    if (this.drawn === undefined) return;
    this.drawn = undefined;
    this.write(`\r${" ".repeat(WIDTH)}\r`);
  }
}

/** `step: 42 % of 120.0 MiB, 11.1 MiB/s, 6 s left`, within the width of a terminal. */
export function progressLine(step: string, done: number, total: number, rate?: number): string {
  const percent = total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 0;
  const rest = rate !== undefined && rate >= 1 ? Math.ceil((total - done) / rate) : undefined;
  const speed =
    rest === undefined ? "" : `, ${formatBytes(Math.round(rate ?? 0))}/s, ${rest} s left`;
  const figures = `: ${percent} % of ${formatBytes(total)}${speed}`;
  return visible(step).slice(0, WIDTH - figures.length) + figures;
}

/** `512 bytes`, `11.1 MiB`. */
export function formatBytes(bytes: number): string {
  const units = ["KiB", "MiB", "GiB", "TiB"];
  if (bytes < 1024) return `${bytes} bytes`;
  let value = bytes;
  let unit = "";
  for (const next of units) {
    if (value < 1024) break;
    value /= 1024;
    unit = next;
  }
  return `${value.toFixed(1)} ${unit}`;
}
