/** A running guest: commands in, results out, the handover to the next kernel, the end. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AgentRecord, Channel } from "./channel.ts";
import { Control } from "./control.ts";
import { type Arch, logFolder } from "./host.ts";
import type { Kernel } from "./kernels.ts";
import { type MachineOptions, type Qemu, startQemu } from "./qemu.ts";
import { noteCodes, witness } from "./witness.ts";

export interface GuestOptions extends Omit<MachineOptions, "arch" | "kernel" | "cmdline"> {
  readonly kernel: Kernel;
  /** Added to `consoleArguments`. */
  readonly cmdline?: string;
  /** Seconds until the agent must have announced itself; default 180. */
  readonly bootTimeout?: number;
  /** Sees the console's text as it comes. */
  readonly onConsole?: (text: string) => void;
}

/** What ran in the guest. */
export interface RunResult {
  /** As the shell says: 128 and more for a signal. */
  readonly exit: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly bytes: Uint8Array;
  /** It ran over its time and was killed; `exit` is 137. */
  readonly timedOut: boolean;
}

export interface RunOptions {
  readonly timeout?: number;
}

/** A kernel that came up. */
export interface Announcement {
  readonly event: "up";
  /** The content of /token; empty where there is none. */
  readonly token: string;
  /** /proc/cmdline without its newline. */
  readonly cmdline: string;
  readonly release: string;
}

interface Waiting {
  readonly result: (result: RunResult) => void;
  readonly up: (announcement: Announcement) => void;
  readonly failed: (problem: string) => void;
}

/**
 * What the first kernel's command line begins with. An emulator that its host lets wait for some
 * ticks misses them, which the kernel takes for a timer that does not work, and panics:
 * timer_irq_works, arch/x86/kernel/apic/io_apic.c.
 */
export function consoleArguments(arch: Arch): string {
  return arch === "x86_64" ? "no_timer_check console=ttyS0 panic=-1" : "console=ttyAMA0 panic=-1";
}

const running = new Set<Guest>();

/** Guests of this process that have not ended. */
export function runningGuests(): readonly Guest[] {
  return [...running];
}

/** Boots a guest and waits for its agent. */
export async function startGuest(options: GuestOptions): Promise<Guest> {
  const { kernel, cmdline = "", bootTimeout = 180 } = options;
  const qemu = await startQemu({
    ...options,
    arch: kernel.arch,
    kernel: kernel.path,
    cmdline: `${consoleArguments(kernel.arch)} ${cmdline}`.trim(),
  });
  const guest = new Guest(qemu, kernel, options);
  await guest.awaitAnnouncement(`${kernel.name} booting`, bootTimeout);
  witness(guest, options);
  return guest;
}

export class Guest implements AsyncDisposable {
  readonly kernel: Kernel;
  readonly #qemu: Qemu;
  readonly #channel: Channel;
  readonly #control: Control;
  readonly #onConsole: ((text: string) => void) | undefined;
  #log = "";
  #number = 0;
  #stderr: Uint8Array | undefined;
  #waiting: Waiting | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #announcement: Announcement | undefined;
  /** Its /proc/sys/kernel/random/boot_id. */
  #boot: string | undefined;
  #exit: number | undefined;

  constructor(qemu: Qemu, kernel: Kernel, { onConsole }: Pick<GuestOptions, "onConsole">) {
    this.kernel = kernel;
    this.#qemu = qemu;
    this.#onConsole = onConsole;
    running.add(this);
    const noise = (text: string) => this.#note(text);
    this.#channel = new Channel(qemu.agent, {
      noise,
      record: (record) => this.#take(record),
      damaged: () => this.#channel.sendOrder(`again ${this.#number}`),
    });
    const decoder = new TextDecoder();
    if (qemu.console !== qemu.agent) {
      qemu.console.receive((bytes) => noise(decoder.decode(bytes, { stream: true })));
    }
    this.#control = new Control(qemu.control);
    void qemu.exited.then((exit) => {
      this.#exit = exit;
      running.delete(this);
      this.#waiting?.failed(`QEMU ended with ${exit} ${qemu.errors()}`.trim());
    });
  }

  /** The kernel that runs now. */
  get announcement(): Announcement {
    if (this.#announcement === undefined) throw new Error("the guest has not come up");
    return this.#announcement;
  }

  /** QEMU has not ended. */
  get alive(): boolean {
    return this.#exit === undefined;
  }

  /**
   * Runs a shell script as root in a session of its own, with nothing on standard input.
   * @param options.timeout seconds of the guest's clock; default 60. At its end
   * every process of the script is killed and `timedOut` is true.
   */
  async run(script: string, options: RunOptions = {}): Promise<RunResult> {
    const { timeout = 60 } = options;
    return this.#exclusively(async () => {
      const outcome = await this.#order(script, timeout, timeout + 30);
      if ("event" in outcome) throw this.#failure("the guest booted while running a command");
      return outcome;
    });
  }

  /** `run`, and an error unless it exits 0. @returns what it wrote to standard output. */
  async check(script: string, options: RunOptions = {}): Promise<string> {
    const { exit, stdout, stderr } = await this.run(script, options);
    if (exit !== 0) throw this.#failure(`exit ${exit} of: ${script}\n${stdout}${stderr}`);
    return stdout;
  }

  /**
   * Runs a script that ends in another kernel, and waits for that one's agent;
   * afterwards this guest is the other kernel's.
   * @param options.timeout seconds of the host's clock; default 240.
   * @throws Error when the script returns, with what it said, or when nobody comes up.
   */
  async handoff(script: string, options: { timeout?: number } = {}): Promise<Announcement> {
    const { timeout = 240 } = options;
    return this.#exclusively(async () => {
      const outcome = await this.#order(script, timeout, timeout);
      if ("event" in outcome) return outcome;
      const { exit, stdout, stderr } = outcome;
      throw this.#failure(`no handover, the command returned ${exit}:\n${stdout}${stderr}`);
    });
  }

  /** Waits until an agent announces itself, for a guest that resets through firmware. */
  async awaitAnnouncement(what = "the guest booting", timeout = 180): Promise<Announcement> {
    const outcome = await this.#wait(what, timeout * this.kernel.patience);
    if ("event" in outcome) return outcome;
    throw this.#failure(`a result nobody asked for while ${what}`);
  }

  /** All that the console has shown, of every kernel. */
  serialLog(): string {
    return this.#log;
  }

  /** Waits for a text on the console. */
  async awaitConsole(text: string | RegExp, timeout = 60): Promise<void> {
    const found = () =>
      typeof text === "string" ? this.#log.includes(text) : text.test(this.#log);
    const limit = timeout * this.kernel.patience;
    for (const stop = Date.now() + limit * 1000; !found(); await Bun.sleep(50)) {
      if (Date.now() > stop) throw this.#failure(`no ${text} on the console in ${limit} s`);
      if (!this.alive && !found()) throw this.#failure(`QEMU ended without ${text} on the console`);
    }
  }

  /** A command of QEMU's human monitor. @returns what it printed. */
  async monitor(command: string): Promise<string> {
    const printed = await this.qmp("human-monitor-command", { "command-line": command });
    return typeof printed === "string" ? printed : JSON.stringify(printed);
  }

  /** A command of QEMU's machine protocol. @returns its `return` value. */
  qmp(command: string, parameters: Record<string, unknown> = {}): Promise<unknown> {
    return this.#control.execute(command, parameters);
  }

  /** Waits until QEMU ends by itself: the guest powered off, or reset. */
  async waitExit(timeout = 60): Promise<number> {
    const limit = timeout * this.kernel.patience;
    const late = Bun.sleep(limit * 1000).then(() => undefined);
    const exit = await Promise.race([this.#qemu.exited, late]);
    if (exit === undefined) throw this.#failure(`still running after ${limit} s`);
    return exit;
  }

  /** Ends QEMU. */
  async stop(): Promise<void> {
    this.#qemu.kill();
    await this.#qemu.exited;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Writes the console's log where it outlives the run. @returns the path. */
  keepLog(label: string): string {
    mkdirSync(logFolder, { recursive: true });
    const path = join(logFolder, `${label.replace(/[^A-Za-z0-9._-]+/g, "-").slice(0, 100)}.log`);
    writeFileSync(path, this.#log);
    return path;
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return result;
  }

  async #order(script: string, guestLimit: number, hostLimit: number) {
    this.#number += 1;
    this.#stderr = undefined;
    const { patience } = this.kernel;
    const what = `running ${JSON.stringify(script.slice(0, 200))}`;
    const outcome = this.#wait(what, hostLimit * patience);
    // agent.sh: execute() kills this process group when the time is over.
    const led = `echo $$ >/.bench/run/leader;${script}\n`;
    const unsent = (error: unknown) => this.#waiting?.failed(String(error));
    const limit = guestLimit * patience;
    if (this.alive) this.#channel.sendScript(this.#number, led, limit).catch(unsent);
    return outcome;
  }

  #wait(what: string, seconds: number): Promise<RunResult | Announcement> {
    const { promise, resolve, reject } = Promise.withResolvers<RunResult | Announcement>();
    const failed = (problem: string) => reject(this.#failure(`${problem} while ${what}`));
    if (this.#exit !== undefined) failed(`QEMU had ended with ${this.#exit}`);
    const late = setTimeout(() => failed(`no answer in ${seconds} s`), seconds * 1000);
    this.#waiting = { result: resolve, up: resolve, failed };
    return promise.finally(() => {
      clearTimeout(late);
      this.#waiting = undefined;
    });
  }

  #take({ fields, body }: AgentRecord): void {
    const [kind, number, status = "", said] = fields;
    if (kind === "up") {
      // It announces itself until it is greeted.
      this.#channel.sendOrder("hello");
      // The greeting and the next announcement may cross.
      if (number === this.#boot) return;
      this.#boot = number;
      const [token = "", release = "", cmdline = ""] = new TextDecoder().decode(body).split("\n");
      this.#announcement = { event: "up", token, cmdline, release };
      this.#waiting?.up(this.#announcement);
      return;
    }
    if (number !== String(this.#number)) return;
    if (kind === "stderr") this.#stderr = body;
    // A standard error that was damaged on its way comes again, and the result with it.
    if (kind !== "result" || (said === "stderr" && this.#stderr === undefined)) return;
    const timedOut = status === "timeout";
    const decoder = new TextDecoder();
    const stdout = decoder.decode(body);
    noteCodes(stdout);
    this.#waiting?.result({
      exit: timedOut ? 137 : Number(status),
      stdout,
      stderr: decoder.decode(this.#stderr),
      bytes: body,
      timedOut,
    });
  }

  #note(text: string): void {
    this.#log += text;
    this.#onConsole?.(text);
  }

  #failure(problem: string): Error {
    const tail = this.#log.split("\n").slice(-25).join("\n");
    const path = this.keepLog(`${this.kernel.name}-${Date.now()}`);
    return new Error(`${problem}\n--- end of the console, all of it is in ${path}\n${tail}`);
  }
}
