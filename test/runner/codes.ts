/** The error codes that are shown by a kernel: what the tests in virtual machines are to see. */
import type { ErrorCode } from "../../src/errors.ts";
import type { Shown } from "../vm/lib/witness.ts";

/** All others are provoked without one: test/unit/provoked.ts. */
export const shownByKernels = [
  "usage",
  "no-kexec-file",
  "file-not-found",
  "file-unreadable",
  "not-a-regular-file",
  "file-empty",
  "file-too-large",
  "malformed-input",
  "cmdline-too-long",
  "untrusted",
  "no-signature",
  "bad-signature",
  "bad-manifest",
  "digest-mismatch",
  "outside-folder",
  "generation-too-low",
  "policy-broken",
  "policy-refused",
  "kernel-unsigned",
  "kernel-signer-unknown",
  "kernel-signature-bad",
  "kernel-signature-revoked",
  "kernel-changed-after-signing",
  "kernel-signature-malformed",
  "kernel-signature-algorithm",
  "ima-refused",
  "no-capability",
  "kexec-disabled",
  "load-limit-reached",
  "lockdown",
  "pid-namespace",
  "not-permitted",
  "not-a-kernel",
  "kernel-truncated",
  "wrong-architecture",
  "kernel-unsuitable",
  "out-of-memory",
  "no-room",
  "no-crash-memory",
  "file-busy",
  "nothing-loaded",
] as const satisfies readonly ErrorCode[];

/** Those of them that no test has seen, by the records of the last runs. */
export function unseenCodes(records: ReadonlyMap<string, readonly Shown[]>): readonly ErrorCode[] {
  const seen = new Set([...records.values()].flat().flatMap(({ codes = [] }) => codes));
  return shownByKernels.filter((code) => !seen.has(code));
}
