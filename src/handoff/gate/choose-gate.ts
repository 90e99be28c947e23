/** Which gate a load goes through. */
import { ENOENT } from "../../errno.ts";
import { leadsNowhere, statusOfPath } from "../../linux/path.ts";
import { defaultPolicyPath, type Gate, type TrustOptions } from "./gate.ts";

/** Nothing is demanded of a source. */
const open: Gate = {
  required: false,
  admit: async () => undefined,
  needsSealedWhole: () => false,
  pass: async () => null,
  requireAllowedAppend: () => undefined,
};

/**
 * The gate that this machine and the request demand. All that verifies is loaded only where something
 * has to be verified; a policy that is there in whatever state is something.
 * @throws KexecError `policy-broken`
 */
export async function gateFor(options: TrustOptions): Promise<Gate> {
  const demanded =
    options.trust.length > 0 ||
    options.minGeneration !== undefined ||
    options.policy !== undefined ||
    statusOfPath(defaultPolicyPath) !== -ENOENT ||
    leadsNowhere(defaultPolicyPath);
  if (!demanded) return open;
  const { TrustGate } = await import("./trust-gate.ts");
  return new TrustGate(options);
}
