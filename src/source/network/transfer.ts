/** A file that comes over the network into sealed memory: bounded, digested on its way, taken up again after a cut. */
import { cannot } from "../../errors.ts";
import { Memfd } from "../../linux/memfd.ts";
import type { Listener } from "../../listener.ts";
import { type ManifestFile, otherDigest, otherSize } from "../../trust/manifest.ts";
import { shownAddress } from "./address.ts";
import type { Answer } from "./answer.ts";
import type { Client } from "./client.ts";
import { Failure, passing, refused } from "./failure.ts";

/** What is known of a file before it comes. */
export interface Expectation {
  /** What messages call it: "kernel". */
  readonly what: string;
  /** Size and digest, where a manifest has them. */
  readonly signed?: ManifestFile | undefined;
  /** Bytes, where there is no manifest; `began` may change it. */
  readonly most: number;
  /** Bytes that need not come: they are zeros then, and what comes is not digested. */
  readonly from?: number | undefined;
  /**
   * Hears the first bytes, at most 1024, before any more are taken.
   * @returns how many bytes the file may have
   * @throws KexecError to refuse it
   */
  readonly began?: (beginning: Uint8Array) => number | Promise<number>;
  /** @throws KexecError where so many bytes cannot be held */
  readonly requireRoom: (bytes: number) => void;
}

export interface Patience {
  /** Seconds that are waited for what may be gone in a moment, from the last progress on. */
  readonly wait: number;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds before the first repetition; they double, up to the last. */
const firstPause = 250;
const longestPause = 5000;
/** Bytes by which a transfer gets on. */
const useful = 1 << 20;
const longestBeginning = 1024;
/** Room is asked for in pieces where nobody says how large the file is. */
const roomStep = 64 << 20;

/**
 * Fetches a file into a sealed memfd, which messages call by its URL.
 * @throws KexecError
 */
export async function transfer(
  client: Client,
  url: URL,
  expectation: Expectation,
  { wait, signal }: Patience,
  listener: Listener,
): Promise<Memfd> {
  const name = shownAddress(url);
  using held = new DisposableStack();
  const target = held.use(new Target(name, expectation, listener));
  let reached = 0;
  let since = performance.now();
  let pause = firstPause;
  let said = false;
  for (;;) {
    try {
      const got = await target.take(client, url);
      held.move();
      return got;
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      const now = performance.now();
      if (target.size >= reached + useful) {
        reached = target.size;
        since = now;
        pause = firstPause;
      }
      const left = since + wait * 1000 - now;
      // Of many machines that a server lost at once, not all come back in the same moment.
      const next = Math.max(error.pause, pause * (0.5 + Math.random() / 2));
      if (!error.passing || next > left) throw toldOf(error, name);
      if (!said)
        listener.note?.(
          `${name}: ${error.failure.why}; trying again for ${Math.ceil(left / 1000)} s`,
        );
      said = true;
      pause = Math.min(pause * 2, longestPause);
      await pauseFor(next, signal);
    }
  }
}

function toldOf({ failure }: Failure, name: string) {
  const { errno, ...cause } = failure;
  const doing = cause.code === "digest-mismatch" ? `use ${name}` : `fetch ${name}`;
  return cannot(doing, cause, { errno, details: { path: name } });
}

async function pauseFor(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  if (signal?.aborted === true) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}

/** Where the bytes go, through all attempts. */
class Target implements Disposable {
  private readonly memory: Memfd;
  private hasher = new Bun.CryptoHasher("sha256");
  private validator: string | undefined;
  private begun = false;
  private most: number;
  private pieces = 0;
  /** Bytes at its beginning that did not come. */
  private left = 0;
  private room = useful;

  constructor(
    private readonly name: string,
    private readonly expectation: Expectation,
    private readonly listener: Listener,
  ) {
    const { signed, most } = expectation;
    this.most = signed?.size ?? most;
    this.memory = Memfd.create(expectation.what, name);
    try {
      this.left = expectation.from ?? 0;
      this.memory.appendZeros(this.left);
      if (signed !== undefined) this.requireRoom(signed.size);
    } catch (error) {
      this.memory[Symbol.dispose]();
      throw error;
    }
  }

  get size(): number {
    return this.memory.size;
  }

  /** One attempt. @throws Failure, KexecError */
  async take(client: Client, url: URL): Promise<Memfd> {
    const { memory, validator } = this;
    if (memory.size > this.left && validator === undefined) this.restart();
    const from = memory.size;
    const answer = await this.ask(client, url, from);
    if (answer.from === 0 && from > 0) this.restart();
    this.pieces += 1;
    this.validator = answer.validator;
    try {
      this.requireSize(answer.size);
      await answer.read((bytes) => this.add(bytes, answer.size));
    } finally {
      answer.cancel();
    }
    return this.finish(answer.size);
  }

  private async ask(client: Client, url: URL, from: number): Promise<Answer> {
    const { validator } = this;
    try {
      return await client.get(url, from > 0 ? { from, validator } : undefined);
    } catch (error) {
      // What the server does not give a part of is asked for whole.
      if (error instanceof Failure && error.failure.code === "http-status") this.restart();
      throw error;
    }
  }

  private restart(): void {
    this.memory.shorten(0);
    this.left = 0;
    this.hasher = new Bun.CryptoHasher("sha256");
    this.validator = undefined;
    this.pieces = 0;
  }

  /** What the server says, before a byte is taken. */
  private requireSize(size: number | undefined): void {
    if (size === undefined) return;
    const { signed } = this.expectation;
    if (signed === undefined) {
      if (size > this.most) throw this.tooLong(`it has ${size} bytes`);
      this.requireRoom(size);
    } else if (size !== signed.size) {
      const cause = otherSize(size, signed);
      throw new Failure(size > signed.size ? { ...cause, code: "too-long" } : cause, false);
    }
  }

  private async add(bytes: Uint8Array, size: number | undefined): Promise<boolean> {
    const { memory, expectation } = this;
    const length = memory.size + bytes.byteLength;
    if (length > this.most) throw this.tooLong("the server sends more");
    if (length > this.room) this.requireRoom(Math.min(this.most, length + roomStep));
    memory.append(bytes);
    if (expectation.signed !== undefined) this.hasher.update(bytes);
    if (memory.size >= longestBeginning) await this.begin();
    if (memory.size > this.most) throw this.tooLong("it is longer");
    const total = expectation.signed?.size ?? size;
    this.listener.progress?.(`fetching ${this.name}`, memory.size, total ?? 0, "download");
    return true;
  }

  /** For so many bytes in all. */
  private requireRoom(bytes: number): void {
    this.expectation.requireRoom(bytes - this.size);
    this.room = Math.max(this.room, bytes);
  }

  private async begin(): Promise<void> {
    const { began } = this.expectation;
    if (this.begun) return;
    this.begun = true;
    const { memory } = this;
    const first = memory.read(0, Math.min(memory.size, longestBeginning));
    if (began !== undefined) this.most = await began(first);
  }

  private tooLong(what: string): Failure {
    return refused(
      "too-long",
      `${what}, and ${this.expectation.signed === undefined ? "no such file has more than" : "the manifest says"} ${this.most}`,
      "the server has another file than the one that is meant",
    );
  }

  private async finish(size: number | undefined): Promise<Memfd> {
    const { memory, expectation } = this;
    const { signed } = expectation;
    const whole = signed?.size ?? size;
    if (whole !== undefined && memory.size < whole) {
      throw passing("transfer-cut", `it ends after ${memory.size} of ${whole} bytes`);
    }
    if (memory.size === 0) throw refused("file-empty", "the file is empty");
    await this.begin();
    if (memory.size > this.most) throw this.tooLong("it is longer");
    if (signed !== undefined && this.left === 0) {
      const sha256 = this.hasher.digest("hex");
      if (sha256 !== signed.sha256) {
        // Of several answers one may have been of another file.
        const failure = new Failure(otherDigest(sha256, signed), this.pieces > 1);
        this.restart();
        throw failure;
      }
    }
    memory.seal();
    return memory;
  }

  [Symbol.dispose](): void {
    this.memory[Symbol.dispose]();
  }
}
