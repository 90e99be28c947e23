/**
 * The policy that an overlay packs, read as the node will read it: what would stop every node is refused where it
 * is made.
 */
import { basename } from "node:path";
import { KexecError } from "../src/errors.ts";
import { type PublicKey, parsePublicKey } from "../src/trust/keys.ts";
import type { Policy } from "../src/trust/policy.ts";
import { parsePolicy } from "../src/trust/policy-file.ts";

/** Where the files of an overlay lie on the node. */
export const policyFolder = "/etc/aegis-kexec";

/** A file, by its own path here. */
export interface GivenFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Where a key lies on the node. */
export function keyPlace(path: string): string {
  return `${policyFolder}/${basename(path)}`;
}

/**
 * What the node will accept, in lines.
 * @throws Error for a policy that it would not understand, a key that it could not read, and one that is not packed
 */
export function whatIsAccepted(
  policy: GivenFile | undefined,
  keys: readonly GivenFile[],
): readonly string[] {
  const packed = new Map(keys.map((key) => [keyPlace(key.path), readKey(key)]));
  if (policy === undefined) {
    return ["without a policy the node starts whatever its kernel lets it"];
  }
  const read = readPolicy(policy);
  const missing = read.trust.filter((place) => !packed.has(place));
  if (missing.length > 0) {
    throw new Error(
      `the policy trusts ${missing.join(", ")}, which is not packed: add it by --key, under that name`,
    );
  }
  const trusted = read.trust.flatMap((place) => packed.get(place) ?? []);
  requireDistinct(trusted, read.threshold);
  const unused = [...packed.keys()].filter((place) => !read.trust.includes(place));
  return [
    ...accepted(read, trusted),
    ...unused.map((place) => `${place} is packed and not trusted`),
  ];
}

function readKey({ path, bytes }: GivenFile): PublicKey {
  return inWords(() => parsePublicKey(bytes, path));
}

function readPolicy({ path, bytes }: GivenFile): Policy {
  return inWords(() => parsePolicy(bytes, path));
}

function inWords<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof KexecError) throw new Error(error.message, { cause: error });
    throw error;
  }
}

/** One key under two names signs once. */
function requireDistinct(keys: readonly PublicKey[], threshold: number): void {
  const distinct = new Set(keys.map(({ point }) => Buffer.from(point).toString("hex")));
  if (distinct.size < keys.length) throw new Error("the policy trusts one key under two names");
  if (distinct.size < threshold) {
    throw new Error(`the policy demands ${threshold} signatures, and trusts ${distinct.size} keys`);
  }
}

function accepted(policy: Policy, keys: readonly PublicKey[]): readonly string[] {
  const { threshold, minGeneration, allowAppend, allowSecret, fileSystems, measure } = policy;
  const names = keys.map(({ fingerprint, name }) => `${fingerprint} (${basename(name)})`);
  const list = (texts: readonly string[], none: string) => texts.join(", ") || none;
  return [
    `the node accepts what ${threshold === 1 ? "one" : threshold} of these keys signed: ${names.join(", ")}`,
    `generations: ${minGeneration === undefined ? "any" : `from ${minGeneration} on`}`,
    `words to append: ${list(allowAppend, "none")}`,
    `secrets: ${list(allowSecret, "none")}`,
    ...(fileSystems === undefined ? [] : [`file systems: ${list(fileSystems, "none")}`]),
    ...(measure === undefined
      ? []
      : [`measured into PCR ${measure.pcr}${measure.required ? ", or not started" : ""}`]),
  ];
}
