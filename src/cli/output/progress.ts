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

  /** `now` is a clock in milliseconds; `write` draws on the line. */
  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly write: (text: string) => void = (text) => writeInPlace(STDERR, text),
  ) {}

  update(step: string, done: number, total: number): void {
    const now = this.now();
    this.started ??= now;
    if (now - this.started < QUIET_MS) return;
    if (this.drawn !== undefined && now - this.drawn < REDRAW_MS) return;
    this.drawn = now;
    this.write(`\r${progressLine(step, done, total).padEnd(WIDTH)}`);
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

/** `step: 42 % of 120 MiB`, within the width of a terminal. */
export function progressLine(step: string, done: number, total: number): string {
  const percent = total > 0 ? Math.min(100, Math.floor((done / total) * 100)) : 0;
  const figures = `: ${percent} % of ${formatBytes(total)}`;
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
