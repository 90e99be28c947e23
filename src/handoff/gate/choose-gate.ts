/** Which gate a load goes through. */
import { requireMemory } from "../../diagnosis/memory-need.ts";
import { ENOENT } from "../../errno.ts";
import { cannot } from "../../errors.ts";
import { leadsNowhere, statusOfPath } from "../../linux/path.ts";
import type { Listener } from "../../listener.ts";
import { readMemory } from "../../machine/kernel.ts";
import type { Admission } from "../../source/kind.ts";
import type { ParsedLoadRequest } from "../request.ts";
import { defaultPolicyPath, type Gate, type TrustOptions } from "./gate.ts";

/** Nothing is demanded of a source. */
const open: Gate = {
  required: false,
  fileSystems: undefined,
  policies: [],
  admitted: null,
  admit: async () => undefined,
  judgeWhole: async () => undefined,
  requireRoom: (bytes) => void requireMemory({ kernel: 0, initrd: 0, copied: bytes }, readMemory()),
  needsSealedWhole: () => false,
  admitWhole: async () => undefined,
  pass: async () => null,
  requireAllowedAppend: () => undefined,
  refusedSecrets: () => [],
};

/**
 * The gate that this machine and the request demand. All that verifies is loaded only where something
 * has to be verified; a policy that is there in whatever state is something.
 * @throws KexecError `policy-broken`; `usage` for an option that means trust where nothing demands it
 */
export function gateFor(options: TrustOptions): Gate | Promise<Gate> {
  const { policyRoot } = options;
  if (policyRoot === undefined) return gateWhere(isThere(defaultPolicyPath), options);
  return import("./other-system.ts").then(({ isInTree }) =>
    gateWhere(isInTree(policyRoot, defaultPolicyPath), options),
  );
}

function isThere(path: string): boolean {
  return statusOfPath(path) !== -ENOENT || leadsNowhere(path);
}

function gateWhere(hasPolicy: boolean, options: TrustOptions): Gate | Promise<Gate> {
  if (options.trust.length === 0 && options.policy === undefined && !hasPolicy) {
    requireNoTrustWords(options);
    return open;
  }
  return import("./trust-gate.ts").then(({ TrustGate }) => TrustGate.of(options));
}

/** Whoever gives a signature or a floor believes that it is looked at. */
function requireNoTrustWords({ signature, minGeneration, threshold }: TrustOptions): void {
  const given =
    signature.length > 0
      ? "--signature"
      : minGeneration !== undefined
        ? "--min-generation"
        : threshold !== undefined
          ? "--threshold"
          : undefined;
  if (given === undefined) return;
  throw cannot(`use ${given}`, {
    code: "usage",
    why: "no key is trusted here, so it would have no effect",
    hint: "name the public key with --trust, or in a policy",
  });
}

/** What a source is opened through: the gate, and what the other SOURCEs have to say. */
export function admissionFor(
  gate: Gate,
  request: ParsedLoadRequest,
  listener: Listener,
): Admission | Promise<Admission> {
  if (request.others === undefined) return gate;
  // A signature that was named is that of this generation.
  const fresh = async () => gateFor({ ...request, signature: [] });
  return import("./no-way-down.ts").then(({ withoutWayDown }) =>
    withoutWayDown(gate, request, listener, fresh),
  );
}
