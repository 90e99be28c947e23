/** Several SOURCEs: the first that passes is taken, and why the earlier ones did not is told. */
import { KexecError } from "../errors.ts";
import { shownSource } from "../source/place.ts";
import { forgottenInitrd } from "./forgotten-initrd.ts";
import type { Observer } from "./report.ts";
import type { ParsedLoadRequest } from "./request.ts";

/**
 * Whether an error says nothing of SOURCE: this program, this system, what this process may do, or a
 * policy that stops everything, or the caller does. Another SOURCE would meet it too.
 */
export function isAboutMachine({
  exit,
  code,
}: {
  readonly exit: number;
  readonly code: string;
}): boolean {
  return [1, 3, 7].includes(exit) || code === "policy-broken" || code === "aborted";
}

export function passedOver({ source }: ParsedLoadRequest, why: string): string {
  return `${shownSource(source)} is passed over: ${why}`;
}

/** What is said of SOURCEs behind the first that are none. */
export async function noSources(requests: readonly ParsedLoadRequest[]): Promise<string[]> {
  const said: string[] = [];
  for (const { source: kernel } of requests.slice(1)) {
    const line = await forgottenInitrd(kernel);
    if (line !== undefined) said.push(line);
  }
  return said;
}

/**
 * The result of the first attempt that does not fail.
 * @param between Called before every attempt but the first; it throws to make an end.
 * @throws the first attempt's error where none passes
 */
export async function firstThatPasses<T>(
  requests: readonly ParsedLoadRequest[],
  attempt: (request: ParsedLoadRequest) => Promise<T>,
  between: () => Promise<void>,
  observer: Observer,
): Promise<T> {
  for (const line of await noSources(requests)) observer.warn?.(line);
  let first: KexecError | undefined;
  for (const request of requests) {
    if (first !== undefined) await between();
    try {
      return await attempt(request);
    } catch (error) {
      if (!(error instanceof KexecError) || isAboutMachine(error)) throw error;
      first ??= error;
      observer.warn?.(passedOver(request, error.message));
    }
  }
  throw first ?? new TypeError("there is no SOURCE");
}
