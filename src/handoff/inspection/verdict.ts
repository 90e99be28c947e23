/** What an inspection comes to, by what was found of image, kernel, archives and command line. */
import type { KexecError } from "../../errors.ts";
import { withKeyRoom } from "../../machine/crash.ts";
import type { MachineFacts } from "../../machine/facts.ts";
import { valueIn } from "../../machine/reading.ts";
import { longestCmdline } from "../../source/cmdline.ts";
import type { Verified } from "../stages/verify.ts";
import type { InspectedImage } from "./image.ts";
import { type CmdlineReport, type Inspection, reasonOf, type Verdict } from "./inspection.ts";

/** Where it may depend on the signature whether the kernel takes an image. */
export function demandsSignature({ signatures, lockdown }: MachineFacts): boolean {
  if (valueIn(signatures.checked) === false) return false;
  const level = valueIn(lockdown);
  return valueIn(signatures.enforced) === true || (level !== undefined && level !== "none");
}

/** An image that the kernel would be given as it is, although the load stopped before. */
export function bareKernel(image: InspectedImage | undefined): InspectedImage | undefined {
  const format = image?.report.format;
  return format === "bzImage" || format === "arm64 Image" ? image : undefined;
}

/** Bytes, by its header: what the call places is as large. */
export function memoryToStart(image: InspectedImage | undefined, size: number): number {
  const { initSize, imageSize } = image?.report.facts ?? {};
  return Math.max(size, Number(initSize ?? 0), Number(imageSize ?? 0));
}

export function sameImage(
  one: InspectedImage | undefined,
  other: InspectedImage | undefined,
): boolean {
  return one?.report.format === other?.report.format && one?.report.size === other?.report.size;
}

export function cmdlineReport({ cmdline, image }: Verified, crash: boolean): CmdlineReport {
  const { limit } = image.kernel;
  const length = new TextEncoder().encode(cmdline).byteLength;
  return { text: cmdline, length, longest: longestCmdline(crash ? withKeyRoom(limit) : limit) };
}

export function verdictOf(
  reasons: readonly KexecError[],
  doubts: readonly KexecError[],
  notes: readonly string[],
): Verdict {
  const distinct = new Map(reasons.map((error) => [error.message, reasonOf(error)] as const));
  const all = [...distinct.values()];
  return {
    takes: all.length === 0,
    wouldExit: all[0]?.exit ?? 0,
    reasons: all,
    // A certain refusal is not made doubtful by what comes after it.
    doubts: all.length === 0 ? doubts.map(reasonOf) : [],
    notes: [...new Set(notes)],
  };
}

export function unknownOf(
  image: InspectedImage | undefined,
  kernel: InspectedImage | undefined,
  verified: Verified | undefined,
  facts: MachineFacts,
): Inspection["unknown"] {
  const unknown: Record<string, string> = {};
  const look = (name: string, inspected: InspectedImage | undefined) => {
    if (inspected === undefined) return;
    const { report, judgement, digestUnknown } = inspected;
    if (digestUnknown !== undefined) unknown[`${name}.changedAfterSigning`] = digestUnknown;
    if (report.signatures.length > 0 && judgement.verdict === "unknown") {
      unknown[`${name}.trustedBy`] = judgement.why;
    }
  };
  look("image", image);
  look("kernel", kernel);
  if (verified === undefined) unknown["cmdline"] = "the load would not get as far";
  if (!facts.signatures.checked.known) {
    unknown["verdict"] = `whether signatures are looked at: ${facts.signatures.checked.why}`;
  }
  return unknown;
}
