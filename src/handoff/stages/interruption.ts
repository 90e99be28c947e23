/** Signals that come while secrets are held: noticed, kept, and obeyed once nothing is left. */
import { cannot } from "../../errors.ts";
import { ignoreSignals } from "../../linux/signals.ts";

const SIGNALS = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM"] as const;

/**
 * Holds the signals back from `start` to disposal, and then raises the one that came. Others that
 * would end the process, and that nobody sends to ask it to stop, are ignored meanwhile.
 */
export class Interruption implements Disposable {
  private signal: (typeof SIGNALS)[number] | undefined;
  private readonly others = ignoreSignals();
  private constructor() {}
  private readonly listener = (signal: (typeof SIGNALS)[number]) => {
    this.signal ??= signal;
    this.waiting?.abort();
  };
  private waiting: AbortController | undefined;

  static start(): Interruption {
    const interruption = new Interruption();
    for (const signal of SIGNALS) process.on(signal, interruption.listener);
    return interruption;
  }

  readonly came = (): boolean => this.signal !== undefined;

  /** What calls off a wait, where a signal comes or the caller says so: nothing else is held up by a server. */
  or(other: AbortSignal | undefined): AbortSignal {
    this.waiting ??= new AbortController();
    if (this.signal !== undefined) this.waiting.abort();
    const { signal } = this.waiting;
    return other === undefined ? signal : AbortSignal.any([signal, other]);
  }

  /** Lets a signal that arrived during a system call be seen, and throws if there was one. */
  async check(): Promise<void> {
    await Bun.sleep(0);
    if (this.signal !== undefined) {
      throw cannot("go on", { code: "io-error", why: `interrupted by ${this.signal}` });
    }
  }

  [Symbol.dispose](): void {
    this.others[Symbol.dispose]();
    for (const signal of SIGNALS) process.off(signal, this.listener);
    if (this.signal !== undefined) process.kill(process.pid, this.signal);
  }
}
