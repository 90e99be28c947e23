/** What must be trusted, who vouches for SOURCE, and whether its manifest is true. */

import type { Architecture } from "../../architecture.ts";
import type { FoundSource } from "../../source/open.ts";
import type { OpenFile } from "../../source/open-file.ts";
import { isTree } from "../../source/place.ts";
import type { TrustOptions } from "../gate/gate.ts";
import { readPolicies, requirementOf } from "../gate/trust-files.ts";
import type { Observer } from "../report.ts";
import type { ParsedLoadRequest } from "../request.ts";
import type { Verified } from "../stages/verify.ts";
import type { ManifestReport, TrustInspection } from "./inspection.ts";
import { auditManifest } from "./manifest.ts";
import type { Reasons } from "./reasons.ts";

export interface TrustInspected {
  readonly report: TrustInspection;
  readonly manifest: ManifestReport | null;
  /** The archives that are what the manifest says. */
  readonly archives: readonly OpenFile[];
}

export async function inspectTrust(
  { found, kind }: FoundSource,
  request: ParsedLoadRequest & Pick<TrustOptions, "policyRoot">,
  architecture: Architecture,
  verified: Verified | undefined,
  held: DisposableStack,
  reasons: Reasons,
  observer: Pick<Observer, "progress">,
): Promise<TrustInspected> {
  const policies = await reasons.attemptAsync(() =>
    readPolicies(request.policy, request.policyRoot),
  );
  const requirement = policies === undefined ? undefined : requirementOf(policies, request);
  // A policy that cannot be read lets nothing through; what the request asks for is still checked.
  const audited = requirement ?? requirementOf([], request);
  const audit =
    kind === "manifest" && !isTree(found)
      ? await auditManifest(
          found,
          { request, requirement: audited, architecture, verified: verified !== undefined },
          held,
          reasons,
          observer,
        )
      : undefined;
  return {
    report: {
      required: requirement?.required ?? true,
      policies: policies?.map(({ path }) => path) ?? [],
      keys: audit?.keys ?? [],
      minGeneration: requirement?.minGeneration ?? null,
      signed: verified?.trust ?? null,
    },
    manifest: audit?.report ?? null,
    archives: audit?.archives ?? [],
  };
}
