/** Stages that few loads need: each is loaded when one does. */
import type { Architecture } from "../architecture.ts";
import type { Source } from "../source/open.ts";
import type { Gate } from "./gate/gate.ts";
import type { Observer } from "./report.ts";
import type { AskedLoadRequest, ParsedLoadRequest } from "./request.ts";
import type { Interruption } from "./stages/interruption.ts";
import type { Measurement } from "./stages/measure.ts";
import type { Verified } from "./stages/verify.ts";

/** Holds signals back from now on, where there are secrets to hold. */
export async function interruptionFor(
  secrets: readonly unknown[],
): Promise<Interruption | undefined> {
  if (secrets.length === 0) return undefined;
  const { Interruption } = await import("./stages/interruption.ts");
  return Interruption.start();
}

export async function withRsdp(
  request: AskedLoadRequest,
  architecture: Architecture,
  observer: Observer,
): Promise<AskedLoadRequest> {
  if (request.acpiRsdp === undefined) return request;
  const { rsdpForRequest } = await import("./stages/rsdp.ts");
  return rsdpForRequest(request, architecture, observer);
}

export async function measurementFor(
  source: Source,
  verified: Verified,
  request: ParsedLoadRequest,
  { policies }: Gate,
  observer: Observer,
): Promise<Measurement | undefined> {
  let demanded = false;
  for (const { measure } of policies) demanded ||= measure !== undefined;
  if (request.measure === undefined && !demanded) return undefined;
  const { Measurement } = await import("./stages/measure.ts");
  return Measurement.prepare(source, verified, request, policies, observer);
}
