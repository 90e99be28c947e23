/** The secrets of one request: read into memory of their own, overwritten together. */
import { KexecError } from "../../errors.ts";
import {
  checkSecrets,
  placeWarning,
  type SecretSpec,
  secretSizeLimit,
} from "../../initramfs/secret.ts";
import type { SecretInput, SecretMemory } from "../../linux/secret-memory.ts";
import type { SecretReport } from "../report.ts";
import type { Interruption } from "./interruption.ts";

/** A secret that was read; its bytes lie at `address`, outside of JavaScript's memory. */
export interface HeldSecret {
  readonly destination: string;
  readonly mode: number;
  readonly memory: SecretMemory;
}

export class Secrets implements Disposable {
  private constructor(
    readonly held: readonly HeldSecret[],
    private readonly memories: DisposableStack,
  ) {}

  /**
   * What is wrong with each secret, as far as it shows before one is read. To be called before files
   * are opened.
   */
  static async problems(specs: readonly SecretSpec[]): Promise<KexecError[]> {
    if (specs.length === 0) return [];
    const { checkSecretSource } = await import("../../linux/secret-memory.ts");
    const checks = [
      () => checkSecrets(specs),
      ...specs.map(
        ({ source }) =>
          () =>
            checkSecretSource(...inputOf(source), secretSizeLimit),
      ),
    ];
    const problems: KexecError[] = [];
    for (const check of checks) {
      try {
        check();
      } catch (error) {
        if (!(error instanceof KexecError)) throw error;
        problems.push(error);
      }
    }
    return problems;
  }

  /** @throws KexecError of `SecretMemory.read`; nothing is held then */
  static async read(
    specs: readonly SecretSpec[],
    interruption: Interruption | undefined,
  ): Promise<Secrets> {
    const interrupted = () => interruption?.came() ?? false;
    using memories = new DisposableStack();
    const held: HeldSecret[] = [];
    if (specs.length === 0) return new Secrets(held, memories.move());
    const { protectProcess, SecretMemory } = await import("../../linux/secret-memory.ts");
    protectProcess();
    for (const { source, destination, mode } of specs) {
      const [input, name] = inputOf(source);
      const memory = await SecretMemory.read(input, name, secretSizeLimit, interrupted);
      held.push({ destination, mode, memory: memories.use(memory) });
    }
    return new Secrets(held, memories.move());
  }

  /** Their places, without their values. */
  report(): readonly SecretReport[] {
    return this.held.map(({ destination, mode, memory }) => ({
      destination,
      size: memory.size,
      mode: modeText(mode),
    }));
  }

  /** These, which stay, and behind them a file of this process' own making; mode 0444. */
  async with(destination: string, bytes: Uint8Array): Promise<Secrets> {
    const { SecretMemory } = await import("../../linux/secret-memory.ts");
    using memories = new DisposableStack();
    const memory = memories.use(SecretMemory.holding(bytes));
    return new Secrets([...this.held, { destination, mode: 0o444, memory }], memories.move());
  }

  /** The same secrets, which whoever lends them overwrites. */
  lent(): Secrets {
    return new Secrets(this.held, new DisposableStack());
  }

  [Symbol.dispose](): void {
    this.memories.dispose();
  }
}

/** What to say of the places of secrets. */
export function placeWarnings(specs: readonly SecretSpec[]): readonly string[] {
  return specs.flatMap(({ destination }) => placeWarning(destination) ?? []);
}

/** The secrets that a request names, of which none is read. */
export function secretsAskedFor(specs: readonly SecretSpec[]): readonly SecretReport[] {
  return specs.map(({ destination, mode }) => ({ destination, size: null, mode: modeText(mode) }));
}

function modeText(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}

/** Secrets for several attempts: read when the first one wants them, overwritten after the last. */
export class SecretsOnce implements Disposable {
  private secrets: Secrets | undefined;

  constructor(
    private readonly specs: readonly SecretSpec[],
    private readonly interruption: Interruption | undefined,
  ) {}

  /** What is lent may be disposed of: it stays. @throws KexecError of `Secrets.read` */
  async lend(): Promise<Secrets> {
    this.secrets ??= await Secrets.read(this.specs, this.interruption);
    return this.secrets.lent();
  }

  [Symbol.dispose](): void {
    this.secrets?.[Symbol.dispose]();
  }
}

function inputOf(source: SecretSpec["source"]): [input: SecretInput, name: string] {
  switch (source.kind) {
    case "standard-input":
      return [{ fd: 0 }, "from standard input"];
    case "descriptor":
      return [{ fd: source.descriptor }, `from descriptor ${source.descriptor}`];
    case "file":
      return [{ path: source.path }, source.path];
  }
}
