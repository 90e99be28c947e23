/** Several SOURCEs: the one that `load` would take, and why it would not take those before. */
import { KexecError } from "../../errors.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { isAboutMachine, noSources, passedOver } from "../several.ts";
import type { Inspection } from "./inspection.ts";

/**
 * The inspection of the first SOURCE against which nothing speaks but this machine; where there is
 * none, that of the first, with the reasons of the others among its notes.
 * @throws the first one's error where there is none, and that one could not be opened
 */
export async function firstInspection(
  requests: readonly ParsedLoadRequest[],
  inspectOne: (request: ParsedLoadRequest) => Promise<Inspection>,
): Promise<Inspection> {
  const forgotten = await noSources(requests);
  const passed: string[] = [];
  let first: Inspection | KexecError | undefined;
  for (const request of requests) {
    const seen = await inspectOrWhy(request, inspectOne);
    if (!(seen instanceof KexecError) && seen.verdict.reasons.every(isAboutMachine)) {
      return withNotes(seen, [...forgotten, ...passed]);
    }
    first ??= seen;
    const why =
      seen instanceof KexecError ? seen.message : (seen.verdict.reasons[0]?.message ?? "");
    passed.push(passedOver(request, why));
  }
  if (first === undefined) throw new TypeError("there is no SOURCE");
  if (first instanceof KexecError) throw first;
  return withNotes(first, [...forgotten, ...passed.slice(1)]);
}

async function inspectOrWhy(
  request: ParsedLoadRequest,
  inspectOne: (request: ParsedLoadRequest) => Promise<Inspection>,
): Promise<Inspection | KexecError> {
  try {
    return await inspectOne(request);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return error;
  }
}

function withNotes(inspection: Inspection, notes: readonly string[]): Inspection {
  const { verdict } = inspection;
  return { ...inspection, verdict: { ...verdict, notes: [...notes, ...verdict.notes] } };
}
