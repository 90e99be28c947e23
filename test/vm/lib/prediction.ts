/** What `inspect` predicts, held against what the kernel then does. */
import type { Guest } from "./guest.ts";
import type { ScriptedLoad } from "./load-words.ts";

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

/** The script that predicts a load: to be run just before it. */
export function predicting({ prefix, program, words }: ScriptedLoad): string {
  return `${prefix}${program} inspect --json ${words}`;
}

/**
 * Holds a load against what `inspect --json` printed: its exit code, and with `--json` its cause.
 * @returns what differs
 */
export function differsFrom(
  inspected: { readonly exit: number; readonly stdout: string },
  loaded: { readonly exit: number; readonly stdout: string },
): string | undefined {
  const inspection = objectOf(inspected.stdout);
  const code = loaded.stdout.startsWith('{"error"')
    ? memberOf(objectOf(loaded.stdout), "error")["code"]
    : undefined;
  const expected = expectedOf(inspected.exit, inspection);
  return expected.some((one) => one.exit === loaded.exit && (code ?? one.code) === one.code)
    ? undefined
    : `inspect predicted ${JSON.stringify(expected)}, load gave ${loaded.exit} (${code}): ${inspected.stdout}`;
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

/**
 * Inspects, then loads, with the same arguments, and leaves what was loaded loaded.
 * @throws Error where the exit code or the first reason is another one than was predicted. What
 *   `inspect` calls uncertain may come out as it says that it may.
 */
export async function loadAsPredicted(guest: Guest, words: string): Promise<Outcome> {
  const inspected = await guest.run(`aegis-kexec inspect --json ${words}`);
  const loaded = await guest.run(`aegis-kexec load --json ${words}`, { predict: false });
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
  const { wouldExit } = memberOf(inspection, "verdict");
  if (!("error" in inspection) && inspectExit !== wouldExit) {
    return `inspect exits ${inspectExit} and says ${wouldExit}`;
  }
  const expected = expectedOf(inspectExit, inspection);
  return expected.some((one) => one.exit === exit && one.code === code)
    ? undefined
    : `inspect predicted ${JSON.stringify(expected)}, load gave ${exit} (${code})`;
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
