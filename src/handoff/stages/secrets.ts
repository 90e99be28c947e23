/** The secrets of one request: read into memory of their own, overwritten together. */
import { KexecError } from "../../errors.ts";
import type { PlacedKey } from "../../initramfs/luks/plan.ts";
import type { LuksVolume } from "../../initramfs/luks/volume.ts";
import {
  checkSecrets,
  placeWarning,
  type SecretSpec,
  secretSizeLimit,
} from "../../initramfs/secret.ts";
import type { SecretInput, SecretMemory } from "../../linux/secret-memory.ts";
import type { LuksReport, SecretReport } from "../report.ts";
import type { Interruption } from "./interruption.ts";

/** A secret that was read; its bytes lie at `address`, outside of JavaScript's memory. */
export interface HeldSecret {
  readonly destination: string;
  readonly mode: number;
  readonly memory: SecretMemory;
  /** The volume whose key it is. */
  readonly luks?: LuksVolume | undefined;
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
    for (const { source, destination, mode, luks } of specs) {
      const [input, name] = inputOf(source);
      const memory = await SecretMemory.read(input, name, secretSizeLimit, interrupted);
      held.push({ destination, mode, memory: memories.use(memory), luks });
    }
    return new Secrets(held, memories.move());
  }

  /** Their places, without their values; keys of volumes are apart. */
  report(): readonly SecretReport[] {
    return this.held.filter(({ luks }) => luks === undefined).map(reportOf);
  }

  /** The keys of volumes, in the order of `keys`. */
  reportKeys(keys: readonly PlacedKey[]): readonly LuksReport[] {
    if (keys.length === 0) return [];
    const held = new Map(this.held.map((one) => [one.luks?.uuid, one]));
    return keys.flatMap(({ uuid, framework }) => {
      const one = held.get(uuid);
      return one === undefined ? [] : [{ uuid, framework, ...reportOf(one) }];
    });
  }

  /** These, which stay, with keys in their places, and `more` behind them. */
  placed(keys: readonly PlacedKey[], more: readonly HeldSecret[]): Secrets {
    const places = new Map(keys.map(({ uuid, destination }) => [uuid, destination]));
    const placed = this.held.map((one) => ({
      ...one,
      destination: places.get(one.luks?.uuid ?? "") ?? one.destination,
    }));
    return new Secrets([...placed, ...more], new DisposableStack());
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
  const warnings: string[] = [];
  for (const { destination } of specs) {
    const warning = placeWarning(destination);
    if (warning !== undefined) warnings.push(warning);
  }
  return warnings;
}

/** The secrets that a request names, of which none is read; the keys of volumes are none of them. */
export function secretsAskedFor(specs: readonly SecretSpec[]): readonly SecretReport[] {
  return specs.flatMap(({ destination, mode, luks }) =>
    luks === undefined ? { destination, size: null, mode: modeText(mode) } : [],
  );
}

/** A file of this process' own making, in memory as a secret is; mode 0444. Dispose of its memory. */
export async function madeFile(destination: string, bytes: Uint8Array): Promise<HeldSecret> {
  const { SecretMemory } = await import("../../linux/secret-memory.ts");
  return { destination, mode: 0o444, memory: SecretMemory.holding(bytes) };
}

export function reportOf({ destination, mode, memory }: HeldSecret) {
  return { destination, size: memory.size, mode: modeText(mode) };
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
