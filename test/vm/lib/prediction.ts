/** What `inspect` predicts, held against what the kernel then does. */
import type { Guest } from "./guest.ts";

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

/**
 * Inspects, then loads, with the same arguments, and leaves what was loaded loaded.
 * @throws Error where the exit code or the first reason is another one than was predicted. What
 *   `inspect` calls uncertain may come out as it says that it may.
 */
export async function loadAsPredicted(guest: Guest, words: string): Promise<Outcome> {
  const inspected = await guest.run(`aegis-kexec inspect --json ${words}`);
  const loaded = await guest.run(`aegis-kexec load --json ${words}`);
  const inspection = objectOf(inspected.stdout);
  const result = objectOf(loaded.stdout);
  const error = memberOf(result, "error");
  const code = typeof error["code"] === "string" ? error["code"] : undefined;
  const problem = difference(inspected.exit, inspection, loaded.exit, code);
  if (problem !== undefined) {
    throw new Error(
      `${words}: ${problem}\n${inspected.stdout}${inspected.stderr}\n${loaded.stdout}${loaded.stderr}`,
    );
  }
  return { exit: loaded.exit, code, stderr: loaded.stderr, inspection, result };
}

function difference(
  inspectExit: number,
  inspection: Readonly<Record<string, unknown>>,
  exit: number,
  code: string | undefined,
): string | undefined {
  const verdict = memberOf(inspection, "verdict");
  if ("error" in inspection) {
    const same = inspectExit === exit && memberOf(inspection, "error")["code"] === code;
    return same ? undefined : `inspect failed with ${inspectExit}, load with ${exit} (${code})`;
  }
  const { wouldExit } = verdict;
  if (inspectExit !== wouldExit) return `inspect exits ${inspectExit} and says ${wouldExit}`;
  const expected = [{ exit: wouldExit, code: listOf(verdict, "reasons")[0]?.["code"] }];
  const doubts = listOf(verdict, "doubts").map((doubt) => ({
    exit: doubt["exit"],
    code: doubt["code"],
  }));
  return [...expected, ...doubts].some((one) => one.exit === exit && one.code === code)
    ? undefined
    : `inspect predicted ${JSON.stringify([...expected, ...doubts])}, load gave ${exit} (${code})`;
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
