/** The parts of long work, by words that programs go by. Words are added, never renamed. */
export type Phase =
  /** SOURCE is looked for, opened, and its menu read. */
  | "open"
  | "download"
  | "verify"
  | "copy"
  | "unpack"
  | "join"
  | "measure"
  /** kexec_file_load(2): the kernel reads, checks and places the files. */
  | "call"
  | "store"
  /** File systems are flushed, services stopped. */
  | "flush"
  | "handover";

/** Hears of what goes on. Every member is optional; none is called with a secret. */
export interface Listener {
  /** A step that was taken, for `--verbose`. */
  note?(line: string): void;
  /** Something that the user should know, though it does not stop the work. */
  warn?(line: string): void;
  /**
   * Work that can be long. `done` and `total` are bytes; both are 0 where a phase begins whose size is
   * not known, which ends when the next begins.
   */
  progress?(step: string, done: number, total: number, phase: Phase): void;
}
