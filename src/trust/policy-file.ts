/** A policy as it is written. Loaded where there is one. */
import * as v from "valibot";
import { KexecError } from "../errors.ts";
import { allowEntryProblem } from "./append.ts";
import { absolutePathProblem } from "./path-rules.ts";
import { lastLastingPcr } from "./pcr.ts";
import { maxPolicySize, type Policy } from "./policy.ts";
import { closedObject, list, readJson, text, wholeNumber, wholeNumberTo } from "./schema.ts";
import { defaultAllowSecret, secretPlaceProblem } from "./secret-places.ts";

const maxEntries = 64;

const schema = closedObject({
  trust: v.pipe(
    list(text(absolutePathProblem), maxEntries),
    v.minLength(1, "must not be empty: no key could ever be trusted"),
  ),
  threshold: v.exactOptional(wholeNumberTo(1, maxEntries)),
  minGeneration: v.exactOptional(wholeNumber(0)),
  allowAppend: v.exactOptional(list(text(allowEntryProblem), maxEntries)),
  allowSecret: v.exactOptional(list(text(secretPlaceProblem), maxEntries)),
  fileSystems: v.exactOptional(list(text(fileSystemProblem), maxEntries)),
  measure: v.exactOptional(
    closedObject({
      pcr: wholeNumberTo(0, lastLastingPcr),
      required: v.exactOptional(v.boolean("must be true or false")),
    }),
  ),
});

/** The name of a type as /proc/filesystems has it. */
function fileSystemProblem(name: string): string | undefined {
  return /^[a-z0-9][a-z0-9_.-]{0,31}$/.test(name) ? undefined : "must be the type of a file system";
}

/**
 * Reads a policy. Throws `KexecError` with code `policy-broken` that names every
 * broken rule: a policy that cannot be understood lets nothing through.
 */
export function parsePolicy(bytes: Uint8Array, path: string): Policy {
  const { value, problems } = readJson(bytes, maxPolicySize, schema);
  const broken = value === undefined ? problems : thresholdProblem(value);
  if (value === undefined || broken.length > 0) {
    throw new KexecError("policy-broken", {
      message: `policy ${path} is broken: ${broken.join("; ")}`,
      details: { path, rule: broken[0] },
      hint: "nothing is loaded until the policy is repaired",
    });
  }
  const { trust, threshold = 1, minGeneration, fileSystems, measure } = value;
  const { allowAppend = [], allowSecret = defaultAllowSecret } = value;
  return {
    path,
    sha256: new Bun.CryptoHasher("sha256").update(bytes).digest("hex"),
    trust,
    threshold,
    minGeneration,
    allowAppend,
    allowSecret,
    fileSystems,
    measure: measure && { pcr: measure.pcr, required: measure.required ?? false },
  };
}

function thresholdProblem({
  trust,
  threshold = 1,
}: {
  trust: readonly string[];
  threshold?: number;
}): readonly string[] {
  const named = new Set(trust).size;
  return threshold <= named
    ? []
    : [`threshold: must not be larger than the number of keys, ${named}`];
}
