/** Hears of what goes on. Every member is optional; none is called with a secret. */
export interface Listener {
  /** A step that was taken, for `--verbose`. */
  note?(line: string): void;
  /** Something that the user should know, though it does not stop the work. */
  warn?(line: string): void;
  /** Work that can be long; both figures in bytes. */
  progress?(step: string, done: number, total: number): void;
}
