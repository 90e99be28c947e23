/** What `inspect` predicts, held against what the kernel then does. */
import type { Announcement, Guest } from "./guest.ts";

export interface Outcome {
  /** Of `load`, and of `inspect`. */
  readonly exit: number;
  /** The code of the error; undefined where it was loaded. */
  readonly code: string | undefined;
  /** What `load` said on standard error. */
  readonly stderr: string;
  /** The object that `inspect --json` printed. */
  readonly inspection: Readonly<Record<string, unknown>>;
  /** What `load --json` printed. */
  readonly result: Readonly<Record<string, unknown>>;
}

/** What `inspect` said of a load, before it was made. */
export interface Prediction {
  /** The object that `inspect --json` printed. */
  readonly inspection: Readonly<Record<string, unknown>>;
  /**
   * Holds what came of the load against it. What `inspect` calls uncertain may come out as it says
   * that it may.
   * @param code Left out where only the exit code is known.
   * @throws Error where the exit code or the first reason is another one than was predicted.
   */
  holds(exit: number, code?: string | undefined): void;
}

/** Has `inspect` say what would come of a load with these arguments. */
export async function predict(
  guest: Guest,
  words: string,
  { timeout = 120 }: { readonly timeout?: number } = {},
): Promise<Prediction> {
  const {
    exit: inspectExit,
    stdout,
    stderr,
  } = await guest.run(`aegis-kexec inspect --json ${words}`, { timeout });
  const inspection = objectOf(stdout);
  const { wouldExit } = memberOf(inspection, "verdict");
  const fail = (problem: string) => {
    throw new Error(`${words}: ${problem}\n${stdout}${stderr}`);
  };
  if (!("error" in inspection) && inspectExit !== wouldExit) {
    fail(`inspect exits ${inspectExit} and says ${wouldExit}`);
  }
  const expected = expectedOf(inspectExit, inspection);
  return {
    inspection,
    holds(exit, ...given) {
      const [code] = given;
      const isExpected = expected.some(
        (one) => one.exit === exit && (given.length === 0 || one.code === code),
      );
      if (!isExpected) {
        fail(`inspect predicted ${JSON.stringify(expected)}, the load gave ${exit} (${code})`);
      }
    },
  };
}

/** What may come of a load: what `inspect` is sure of, and what it calls uncertain. */
function expectedOf(
  inspectExit: number,
  inspection: Readonly<Record<string, unknown>>,
): readonly { readonly exit: unknown; readonly code: unknown }[] {
  if ("error" in inspection) {
    return [{ exit: inspectExit, code: memberOf(inspection, "error")["code"] }];
  }
  const verdict = memberOf(inspection, "verdict");
  return [
    { exit: verdict["wouldExit"], code: listOf(verdict, "reasons")[0]?.["code"] },
    ...listOf(verdict, "doubts").map(({ exit, code }) => ({ exit, code })),
  ];
}

/** Inspects, then loads, with the same arguments, and leaves what was loaded loaded. */
export async function loadAsPredicted(guest: Guest, words: string): Promise<Outcome> {
  const prediction = await predict(guest, words);
  const { exit, stdout, stderr } = await guest.run(`aegis-kexec load --json ${words}`, {
    timeout: 120,
  });
  const result = objectOf(stdout);
  const error = memberOf(result, "error");
  const code = typeof error["code"] === "string" ? error["code"] : undefined;
  prediction.holds(exit, code);
  return { exit, code, stderr, inspection: prediction.inspection, result };
}

/**
 * Inspects, then boots, with the same arguments.
 * @param options.program what stands for `aegis-kexec`
 * @param options.more what `inspect` is not given: options of the handover, redirections
 */
export async function bootAsPredicted(
  guest: Guest,
  words: string,
  {
    program = "aegis-kexec",
    more = "",
    timeout = 240,
  }: { readonly program?: string; readonly more?: string; readonly timeout?: number } = {},
): Promise<Announcement> {
  const prediction = await predict(guest, words, { timeout });
  const up = await guest.handoff(`${program} boot ${words} ${more}`, { timeout });
  prediction.holds(0);
  return up;
}

/** A command that boots, as one that exits with 0 where it would. */
export function asInspection(command: string): string {
  return command.replace("aegis-kexec boot", "aegis-kexec inspect");
}

/** A member that is an object; empty where there is none. */
export function memberOf(
  object: Readonly<Record<string, unknown>>,
  name: string,
): Readonly<Record<string, unknown>> {
  const value = object[name];
  return typeof value === "object" && value !== null ? { ...value } : {};
}

/** A member that is a list of objects. */
export function listOf(
  object: Readonly<Record<string, unknown>>,
  name: string,
): readonly Readonly<Record<string, unknown>>[] {
  const value = object[name];
  if (!Array.isArray(value)) return [];
  return value.map((item: unknown) =>
    typeof item === "object" && item !== null ? { ...item } : {},
  );
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(text);
  return typeof value === "object" && value !== null ? { ...value } : {};
}
