/** Whether the integrity measurement architecture appraises kernels: security/integrity/ima/. */

import { ENOENT } from "../errno.ts";
import { parameterValues } from "../kernel-words.ts";
import { readText } from "../linux/descriptor.ts";
import { loggedSinceBoot } from "../linux/kmsg.ts";
import { statusOfPath } from "../linux/path.ts";
import type { BuildFacts } from "./build-facts.ts";
import { readLockdown, readRunningCmdline } from "./kernel.ts";
import { known, type Reading, unknown, valueIn } from "./reading.ts";

const folder = "/sys/kernel/security/ima";

/** Whether files that are read as kernels need a valid `security.ima`. */
export function readAppraisal(build: BuildFacts): Reading<boolean> {
  if (valueIn(build.imaAppraise) === false) return known(false);
  if (statusOfPath(folder) === -ENOENT) {
    return readLockdown().known || statusOfPath("/sys/kernel/security/lsm") !== -ENOENT
      ? known(false)
      : unknown("securityfs is not mounted at /sys/kernel/security");
  }
  const policy = readText(`${folder}/policy`, 1 << 20);
  if (policy.ok) return known(appraisesKernels(policy.text));
  const cmdline = readRunningCmdline();
  if (cmdline.known && appraisesByParameter(cmdline.value)) return known(true);
  // The kernel takes the file away once a policy was loaded, unless more of it can be written, and
  // says so: ima_release_policy, security/integrity/ima/ima_fs.c.
  const untouched =
    policy.errno !== ENOENT &&
    (valueIn(build.imaWritePolicy) === false ||
      loggedSinceBoot(/^ima: policy update completed/i) === false);
  return untouched && cmdline.known
    ? known(false)
    : unknown("the kernel does not show the IMA policy in force");
}

/** The form of rules: Documentation/ABI/testing/ima_policy. The first rule that fits counts. */
export function appraisesKernels(policy: string): boolean {
  const first = policy
    .split("\n")
    .find((rule) => /^(dont_)?appraise\b/.test(rule) && fitsKernels(rule));
  return first?.startsWith("appraise") ?? false;
}

function fitsKernels(rule: string): boolean {
  const hook = /\bfunc=(\S+)/.exec(rule)?.[1];
  const narrowed =
    /\b(fsmagic|fsuuid|fsname|fowner|fgroup|uid|euid|gid|egid|obj_\w+|subj_\w+)[=<>]/;
  return (hook === undefined || hook === "KEXEC_KERNEL_CHECK") && !narrowed.test(rule);
}

/**
 * `secure_boot` appraises kernels, `appraise_tcb` all that root owns (ima_policy.c);
 * `ima_appraise=off` or `log` makes it toothless.
 */
export function appraisesByParameter(cmdline: string): boolean {
  const policies = parameterValues(cmdline, "ima_policy").join(" ");
  const off = parameterValues(cmdline, "ima_appraise").some((value) =>
    /^(off|log|fix)/.test(value),
  );
  return /\b(secure_boot|appraise_tcb)\b/.test(policies) && !off;
}
