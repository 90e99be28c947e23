/**
 * Stages that few loads need: each is loaded when one does. None is an async function: each of those costs
 * a load as much as two, and these have nothing to wait for most of the time.
 */
import type { Architecture } from "../architecture.ts";
import { cannot } from "../errors.ts";
import type { Source } from "../source/open.ts";
import type { Gate } from "./gate/gate.ts";
import type { Observer } from "./report.ts";
import type { AskedLoadRequest, ParsedLoadRequest } from "./request.ts";
import type { Interruption } from "./stages/interruption.ts";
import type { Measurement } from "./stages/measure.ts";
import type { Verified } from "./stages/verify.ts";

/** Holds signals back from now on, where there are secrets to hold. */
export function interruptionFor(secrets: readonly unknown[]): Promise<Interruption> | undefined {
  if (secrets.length === 0) return undefined;
  return import("./stages/interruption.ts").then(({ Interruption }) => Interruption.start());
}

export function withRsdp(
  request: AskedLoadRequest,
  architecture: Architecture,
  observer: Observer,
): AskedLoadRequest | Promise<AskedLoadRequest> {
  if (request.acpiRsdp === undefined) return request;
  return import("./stages/rsdp.ts").then(({ rsdpForRequest }) =>
    rsdpForRequest(request, architecture, observer),
  );
}

export function measurementFor(
  source: Source,
  verified: Verified,
  request: ParsedLoadRequest,
  { policies }: Gate,
  observer: Observer,
): Promise<Measurement | undefined> | undefined {
  let demanded = false;
  for (const { measure } of policies) demanded ||= measure !== undefined;
  if (request.measure === undefined && !demanded) {
    if (request.measureLog === undefined) return undefined;
    throw cannot("use --measure-log", {
      code: "usage",
      why: "nothing is measured, so it would have no effect",
      hint: "name a PCR with --measure, or leave --measure-log out",
    });
  }
  return import("./stages/measure.ts").then(({ Measurement }) =>
    Measurement.prepare(source, verified, request, policies, observer),
  );
}
