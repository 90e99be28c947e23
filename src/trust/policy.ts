/**
 * The policy of a machine, and what is left of it and of the command line once
 * each has tightened the other. Nothing here can loosen a policy.
 */

import * as v from "valibot";
import { KexecError } from "../errors.ts";
import { allowEntryProblem, narrowAllowed } from "./append.ts";
import type { PublicKey } from "./keys.ts";
import { absolutePathProblem, closedObject, list, readJson, text, wholeNumber } from "./schema.ts";
import { sameBytes } from "./text.ts";

export interface Policy {
  /** Where it was read. */
  readonly path: string;
  /** Absolute paths of public keys; undefined where the policy names none. Never empty. */
  readonly trust: readonly string[] | undefined;
  readonly minGeneration: number | undefined;
  /** What `--append` may add although trust is required: see `appendProblems`. */
  readonly allowAppend: readonly string[];
}

/** What the command line asks for. */
export interface TrustRequest {
  /** Paths of `--trust`. */
  readonly trust: readonly string[];
  readonly minGeneration: number | undefined;
}

/** What holds for one run. */
export interface TrustRequirement {
  /** Whether a signature must cover kernel, initramfs and command line. */
  readonly required: boolean;
  /**
   * Paths of public keys, a list for each policy that names keys and one for
   * `--trust`. A signer must be in every list: see `acceptedKeys`. Empty with
   * `required` where a policy sets a floor and nobody names a key: then
   * nothing can be accepted.
   */
  readonly keyLists: readonly (readonly string[])[];
  /** A manifest with a lower generation is refused. */
  readonly minGeneration: number | undefined;
  readonly allowAppend: readonly string[];
}

/** Bytes that a policy may have: 64 KiB. A longer file need not be read. */
export const maxPolicySize = 65536;

const maxEntries = 64;

const schema = closedObject({
  trust: v.exactOptional(
    v.pipe(
      list(text(absolutePathProblem), maxEntries),
      v.minLength(1, "must not be empty: no key could ever be trusted"),
    ),
  ),
  minGeneration: v.exactOptional(wholeNumber(0)),
  allowAppend: v.exactOptional(list(text(allowEntryProblem), maxEntries)),
});

/**
 * Reads a policy. Throws `KexecError` with code `policy-broken` that names every
 * broken rule: a policy that cannot be understood lets nothing through.
 */
export function parsePolicy(bytes: Uint8Array, path: string): Policy {
  const { value, problems } = readJson(bytes, maxPolicySize, schema);
  if (value === undefined) {
    throw new KexecError("policy-broken", {
      message: `policy ${path} is broken: ${problems.join("; ")}`,
      hint: "nothing is loaded until the policy is repaired",
    });
  }
  const { trust, minGeneration, allowAppend = [] } = value;
  return { path, trust, minGeneration, allowAppend };
}

/**
 * Every policy in force and the command line together: all of their key lists,
 * the highest floor, and the appended words that every policy lets through. A
 * policy that sets a floor requires a signature even where it names no key:
 * anyone can write any generation into a manifest that is not signed. Words are
 * let through by policies alone, so without one nothing may be appended.
 */
export function tighten(policies: readonly Policy[], request: TrustRequest): TrustRequirement {
  const keyLists = policies.flatMap(({ trust }) => (trust === undefined ? [] : [trust]));
  if (request.trust.length > 0) keyLists.push(request.trust);
  const policyFloors = policies.flatMap(({ minGeneration }) => minGeneration ?? []);
  const requested = request.minGeneration === undefined ? [] : [request.minGeneration];
  const floors = [...policyFloors, ...requested];
  return {
    required: keyLists.length > 0 || policyFloors.length > 0,
    keyLists,
    minGeneration: floors.length > 0 ? Math.max(...floors) : undefined,
    allowAppend: narrowAllowed(policies.map((policy) => policy.allowAppend)),
  };
}

/**
 * The keys that are in every list, by their bytes. Throws `KexecError` with code
 * `policy-refused` where the lists have none in common, and `untrusted` where
 * there is no list.
 */
export function acceptedKeys(
  lists: readonly (readonly PublicKey[])[],
): readonly [PublicKey, ...PublicKey[]] {
  const [first, ...rest] = lists;
  if (first === undefined) {
    throw new KexecError("untrusted", {
      message: "nothing can be trusted: a signature is required, and no key is named",
      hint: "name a public key with --trust, or in the policy",
    });
  }
  const [key, ...others] = first.filter((candidate) =>
    rest.every((list) => list.some(({ point }) => sameBytes(point, candidate.point))),
  );
  if (key !== undefined) return [key, ...others];
  throw new KexecError("policy-refused", {
    message: "nothing can be trusted: no key of --trust is also one of the policy",
    hint: "--trust can only choose among the policy's keys",
  });
}

/** Throws `KexecError` with code `generation-too-low` where `generation` is below the floor. */
export function checkGeneration(generation: number, requirement: TrustRequirement): void {
  const floor = requirement.minGeneration;
  if (floor === undefined || generation >= floor) return;
  throw new KexecError("generation-too-low", {
    message: `generation ${generation} is refused: the lowest accepted is ${floor}`,
    hint: "load a newer generation",
  });
}
