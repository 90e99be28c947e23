/** The end of a request that nothing comes of. */
import { type Failure, passing, refused } from "./failure.ts";

export interface WatchOptions {
  /** Ends every request. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds without a byte. */
  readonly stall: number;
}

/** Fewer bytes than these within a minute are no transfer: some 1 KiB a second. */
const leastInWindow = 65_536;
const windowMs = 60_000;

/** Ends a request where no byte comes, few come, or nobody waits for it any more. */
export class Watch {
  private readonly controller = new AbortController();
  private last = performance.now();
  private windowStart = this.last;
  private inWindow = 0;
  private readonly timer: Timer;
  failure: Failure | undefined;

  constructor(private readonly options: WatchOptions) {
    const { signal, stall } = options;
    this.timer = setInterval(() => this.look(), Math.max(10, stall / 30));
    signal?.addEventListener("abort", this.aborted);
    if (signal?.aborted === true) this.aborted();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  heard(bytes = 0): void {
    this.last = performance.now();
    this.inWindow += bytes;
    if (this.last - this.windowStart < windowMs) return;
    if (this.inWindow < leastInWindow) {
      this.end(passing("stalled", "fewer than 64 KiB came within a minute"));
    }
    this.windowStart = this.last;
    this.inWindow = 0;
  }

  private look(): void {
    const { stall } = this.options;
    if (performance.now() - this.last < stall) return;
    this.end(passing("stalled", `no byte came for ${stall / 1000} s`));
  }

  private readonly aborted = () => this.end(refused("aborted", "it was called off"));

  private end(failure: Failure): void {
    this.failure ??= failure;
    this.controller.abort();
    this.stop();
  }

  /** Where there is nothing more to wait for; what still comes is not taken. */
  stop(): void {
    clearInterval(this.timer);
    this.options.signal?.removeEventListener("abort", this.aborted);
    this.controller.abort();
  }
}
