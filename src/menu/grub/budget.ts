/** What evaluating one menu may cost, all its files and entries together. Pure. */

/** A limit of ours that a script passes: evaluating it ends there. */
export class GrubLimit extends Error {}

const steps = { menu: 200_000, entry: 20_000, all: 1_000_000 };

/**
 * Work in units of about 10 ns, and of a byte of memory where it is kept: all of it together is about a
 * second. An entry has a share of it, so that the others are still evaluated, and that is enough for the
 * largest configuration.
 */
const work = { entry: 32 << 20, all: 96 << 20 };

/** What one of each costs. */
export const costs = {
  /** Of an argument: it is kept twice, as text and as a pattern. */
  character: 2,
  /** A piece of a word: text, or a variable. */
  piece: 16,
  argument: 64,
  /** A character of a script: statements are many times as large as their text. */
  parsed: 24,
  /** A variable, a write or a device that is taken into another table. */
  copied: 32,
  /** A step of the matcher of regular expressions. */
  matched: 32,
  /** A question to the host: what is at a place. */
  asked: 512,
  /** A file or a folder that the host opens, besides its bytes and names. */
  opened: 4096,
  /** A name of a boot entry: it is put in order. */
  ordered: 4096,
} as const;

export class Budget {
  private steps = steps.menu;
  private stepsInAll = steps.all;
  private work = work.all;
  private workInAll = work.all;

  /** What is next is an entry. */
  beginEntry(): void {
    this.steps = steps.entry;
    this.work = work.entry;
  }

  /** A command, or a round of a loop. */
  step(): void {
    this.steps -= 1;
    this.stepsInAll -= 1;
    if (this.steps < 0 || this.stepsInAll < 0) throw new GrubLimit("it takes too many steps");
  }

  /** To be called before the work is done, where its size is known. */
  readonly spend = (units: number): void => {
    this.work -= units;
    this.workInAll -= units;
    if (this.work < 0 || this.workInAll < 0) throw new GrubLimit("it takes too much work");
  };
}

/** Runs `evaluate`; a stack or memory that runs out in it is a limit that the menu passes. */
export function withinMemory<T>(evaluate: () => T): T {
  try {
    return evaluate();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new GrubLimit("it is nested too deeply, or too large");
  }
}
