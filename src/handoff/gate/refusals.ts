/** Options and lines of an entry that would change what a signature covers. */
import { cannot, type KexecError } from "../../errors.ts";
import type { Source } from "../../source/open.ts";
import { appendProblems } from "../../trust/append.ts";
import type { TrustRequirement } from "../../trust/policy.ts";
import type { TrustOptions } from "./gate.ts";

/** An error for each option that would change what the signature covers. */
export function refusedOptions(options: TrustOptions, isManifest: boolean): readonly KexecError[] {
  const refusals: KexecError[] = [];
  const changing = [
    ["--cmdline", options.cmdline !== undefined],
    ["--reuse-cmdline", options.reuseCmdline],
    ["--initrd", options.initrd.length > 0],
    // All profiles of a signed UKI are signed; a manifest says nothing of them.
    ["--profile", options.profile !== undefined && isManifest],
  ] as const;
  for (const [option, isGiven] of changing) {
    if (!isGiven) continue;
    const refusal = cannot(`use ${option}`, {
      code: "policy-refused",
      details: { option },
      why: "trust is required, and the signature covers initramfs and command line",
      hint: "put it into the manifest before it is signed",
    });
    refusals.push(refusal);
  }
  return refusals;
}

export function refuseOptions(options: TrustOptions, isManifest: boolean): void {
  const [refusal] = refusedOptions(options, isManifest);
  if (refusal !== undefined) throw refusal;
}

export function refuseEntryLines(source: Source): void {
  const facts = source.entry?.facts;
  const added = facts?.options !== undefined ? "options" : "initrd";
  if (facts?.options === undefined && (facts === undefined || facts.initrds.length === 0)) return;
  throw cannot(`use the ${added} line of ${source.entry?.path}`, {
    code: "policy-refused",
    why: "trust is required, and nobody signed the boot entry",
    hint: "build it into the UKI before that is signed, and take the line out",
  });
}

/**
 * An error for each reason why words must not be appended, by what the policies let through.
 * @param signed The command line that the signature covers.
 */
export function refusedAppend(
  append: string | undefined,
  requirement: TrustRequirement,
  signed: string,
  option = "--append",
): readonly KexecError[] {
  if (append === undefined) return [];
  return appendProblems(append, requirement.allowAppend, signed).map((problem) =>
    cannot(`use ${option}`, {
      code: "policy-refused",
      details: { option: "--append" },
      why: problem,
      hint: "put the words into the manifest before it is signed, or into the policy's allowAppend",
    }),
  );
}
