/** Whether what a policy has measured could be, by the same look at the TPM that a load takes. */
import type { Prediction } from "../../diagnosis/predict.ts";
import { EACCES, EPERM, errnoName } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import type { Policy } from "../../trust/policy.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { demandOf, measureOutlook } from "../stages/measure.ts";

/** Of who is not root: the load that is predicted is. */
const withoutRights: ReadonlySet<string | undefined> = new Set([EACCES, EPERM].map(errnoName));

/** @param elsewhere The policies are another machine's, whose TPM cannot be seen. */
export async function predictMeasurement(
  request: Pick<ParsedLoadRequest, "measure">,
  policies: readonly Policy[],
  elsewhere: boolean,
): Promise<Prediction> {
  const { pcrs, required } = demandOf(request, policies);
  if (pcrs.length === 0) return { reasons: [], doubts: [], notes: [] };
  const unless = (why: string): Prediction => {
    const doubt = cannot("measure", { code: "io-error", why });
    return { reasons: [], doubts: required ? [doubt] : [], notes: [] };
  };
  if (elsewhere) {
    return unless(`if the machine of that policy has no TPM with PCR ${pcrs.join(" and ")}`);
  }
  const { refusal, warning } = await measureOutlook(request, policies);
  if (refusal !== undefined && withoutRights.has(refusal.errno)) {
    return unless(`if root cannot use the TPM either: ${refusal.message}`);
  }
  return {
    reasons: refusal === undefined ? [] : [refusal],
    doubts: [],
    notes: warning === undefined ? [] : [warning],
  };
}
