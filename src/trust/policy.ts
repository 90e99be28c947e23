/**
 * The policy of a machine, and what is left of it and of the command line once
 * each has tightened the other. Nothing here can loosen a policy.
 */

import { KexecError } from "../errors.ts";
import { narrowAllowed } from "./append.ts";
import type { PublicKey } from "./keys.ts";
import { sameBytes } from "./text.ts";

export interface Policy {
  /** Where it was read. */
  readonly path: string;
  /** SHA-256 of its bytes: 64 lower-case hex digits. */
  readonly sha256: string;
  /** Absolute paths of public keys. Never empty: a policy that demands no signature is broken. */
  readonly trust: readonly string[];
  /** How many of the keys must have signed. */
  readonly threshold: number;
  readonly minGeneration: number | undefined;
  /** What `--append` may add although trust is required: see `appendProblems`. */
  readonly allowAppend: readonly string[];
  /** Where `--secret` may put a file: see `secretPlaceAllowed`. */
  readonly allowSecret: readonly string[];
  /** Types of file systems that may be mounted to read a source; undefined: `defaultFileSystems`. */
  readonly fileSystems: readonly string[] | undefined;
  /** What is measured into a TPM before the jump. */
  readonly measure: MeasurePolicy | undefined;
}

export interface MeasurePolicy {
  readonly pcr: number;
  /** Whether nothing is started that could not be measured. */
  readonly required: boolean;
}

/** What the command line asks for. */
export interface TrustRequest {
  /** Paths of `--trust`. */
  readonly trust: readonly string[];
  readonly minGeneration: number | undefined;
  /** How many keys must have signed. */
  readonly threshold?: number | undefined;
}

/** What holds for one run. */
export interface TrustRequirement {
  /** Whether a signature must cover kernel, initramfs and command line. */
  readonly required: boolean;
  /**
   * Paths of public keys, a list for each policy and one for `--trust`. A signer
   * must be in every list: see `acceptedKeys`.
   */
  readonly keyLists: readonly (readonly string[])[];
  /** How many keys must have signed; 1 where nobody asks for more. */
  readonly threshold: number;
  /** A manifest with a lower generation is refused. */
  readonly minGeneration: number | undefined;
  readonly allowAppend: readonly string[];
  /** Of each policy its `allowSecret`: a place must be let through by all. None: no policy, no rule. */
  readonly allowSecret: readonly (readonly string[])[];
  /** Types of file systems that every policy lets be mounted; undefined: no policy, no rule. */
  readonly fileSystems: readonly string[] | undefined;
}

/** Bytes that a policy may have: 64 KiB. A longer file need not be read. */
export const maxPolicySize = 65536;

/**
 * Every policy in force and the command line together: all of their key lists,
 * the highest floor and threshold, and the appended words and places of secrets
 * that every policy lets through. Words are let through by policies alone, so
 * without one nothing may be appended.
 */
export function tighten(policies: readonly Policy[], request: TrustRequest): TrustRequirement {
  const asked = request.trust.length > 0 ? [request.trust] : [];
  // Most loads that verify: what joins lists costs more at its first use than all that is left of it.
  if (policies.length === 0) return requestAlone(request, asked);
  const keyLists = [...policies.map(({ trust }) => trust), ...asked];
  const policyFloors = policies.flatMap(({ minGeneration }) => minGeneration ?? []);
  const requested = request.minGeneration === undefined ? [] : [request.minGeneration];
  const floors = [...policyFloors, ...requested];
  return {
    required: keyLists.length > 0,
    keyLists,
    threshold: Math.max(request.threshold ?? 1, ...policies.map(({ threshold }) => threshold)),
    minGeneration: floors.length > 0 ? Math.max(...floors) : undefined,
    allowAppend: narrowAllowed(policies.map((policy) => policy.allowAppend)),
    allowSecret: policies.map((policy) => policy.allowSecret),
    fileSystems: commonFileSystems(policies),
  };
}

function requestAlone(
  { threshold = 1, minGeneration }: TrustRequest,
  keyLists: TrustRequirement["keyLists"],
): TrustRequirement {
  return {
    required: keyLists.length > 0,
    keyLists,
    threshold,
    minGeneration,
    allowAppend: [],
    allowSecret: [],
    fileSystems: undefined,
  };
}

/** Those with the least code for a hostile disk to reach. */
const defaultFileSystems: readonly string[] = ["ext4", "vfat", "iso9660", "squashfs", "erofs"];

function commonFileSystems(policies: readonly Policy[]): readonly string[] | undefined {
  const [first, ...rest] = policies.map(({ fileSystems = defaultFileSystems }) => fileSystems);
  return first?.filter((type) => rest.every((list) => list.includes(type)));
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
  const isInEach = ({ point }: PublicKey) =>
    rest.every((list) => list.some((other) => sameBytes(other.point, point)));
  const [key, ...others] = rest.length === 0 ? first : first.filter(isInEach);
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
    details: { generation, minimum: floor },
    hint: "load a newer generation",
  });
}
