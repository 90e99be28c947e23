/** Everything about this machine that `status` shows and `inspect` predicts by. */
import { type BuildFacts, readBuildFacts } from "./build-facts.ts";
import { readContainer } from "./container.ts";
import { type CrashFacts, readCrashFacts } from "./crash.ts";
import { type Firmware, readFirmware } from "./firmware.ts";
import { readAppraisal } from "./ima.ts";
import {
  type KernelIdentity,
  type KexecState,
  type Lockdown,
  type Memory,
  type Privilege,
  readFiveLevelPaging,
  readIdentity,
  readKexecState,
  readLockdown,
  readMemory,
  readPrivilege,
} from "./kernel.ts";
import { readKeyrings } from "./keyrings.ts";
import { type LiveUpdate, readLiveUpdate } from "./live-update.ts";
import type { Keyrings } from "./proc-keys.ts";
import { known, type Reading, unknown } from "./reading.ts";

export interface MachineFacts {
  readonly identity: KernelIdentity;
  readonly kexec: KexecState;
  readonly build: BuildFacts;
  readonly lockdown: Reading<Lockdown>;
  readonly firmware: Firmware;
  readonly signatures: SignatureRules;
  /** IMA appraises kernels. */
  readonly appraisal: Reading<boolean>;
  readonly keyrings: Keyrings;
  readonly privilege: Privilege;
  /** `none`, or the container manager's name. */
  readonly container: Reading<string>;
  readonly memory: Memory;
  readonly fiveLevelPaging: Reading<boolean>;
  readonly liveUpdate: LiveUpdate;
  readonly crash: CrashFacts;
}

/** What the kernel does about the signatures of images: kimage_validate_signature. */
export interface SignatureRules {
  /** It looks at them. Lockdown has an effect on kexec_file_load(2) only where it does. */
  readonly checked: Reading<boolean>;
  /** It refuses an image without a good one. */
  readonly enforced: Reading<boolean>;
}

/**
 * Some of it takes megabytes of /proc/kallsyms to find out, so a load reads none of it.
 * @throws KexecError `unsupported-platform`, `unsupported-architecture`, `no-jit`, `no-libc`
 */
export function readMachineFacts(): MachineFacts {
  const identity = readIdentity();
  const build = readBuildFacts(identity.release);
  const firmware = readFirmware();
  const privilege = readPrivilege();
  const kexec = readKexecState();
  return {
    identity,
    kexec,
    build,
    lockdown: readLockdown(),
    firmware,
    signatures: signatureRules(build, firmware),
    appraisal: readKernelAppraisal(build, firmware),
    keyrings: readKeyrings(),
    privilege,
    container: readContainer(privilege),
    memory: readMemory(),
    fiveLevelPaging: readFiveLevelPaging(),
    liveUpdate: readLiveUpdate(build),
    crash: readCrashFacts(identity.release, kexec.crashLoaded),
  };
}

/**
 * The check is compulsory with CONFIG_KEXEC_SIG_FORCE, and under Secure Boot with
 * CONFIG_IMA_ARCH_POLICY (security/integrity/ima/ima_efi.c, arch_get_ima_policy).
 */
export function signatureRules(build: BuildFacts, firmware: Firmware): SignatureRules {
  const checked = build.kexecSig;
  if (checked.known && !checked.value) return { checked, enforced: known(false) };
  const force = build.kexecSigForce;
  const byFirmware = both(build.imaArchPolicy, secureStart(firmware));
  if (isTrue(force) || isTrue(byFirmware)) return { checked, enforced: known(true) };
  if (!byFirmware.known) return { checked, enforced: byFirmware };
  return { checked, enforced: force.known ? known(false) : force };
}

/**
 * Whether IMA appraises kernels: by its policy, or under Secure Boot in place of the signature check
 * that the kernel was built without (security/integrity/ima/ima_efi.c, sb_arch_rules).
 */
export function readKernelAppraisal(build: BuildFacts, firmware: Firmware): Reading<boolean> {
  const inPlace =
    isFalse(build.kexecSig) &&
    !isFalse(build.imaAppraise) &&
    isTrue(both(build.imaArchPolicy, secureStart(firmware)));
  return inPlace ? known(true) : readAppraisal(build);
}

/** What the kernel calls Secure Boot: off where it was not started by UEFI, whatever firmware says. */
function secureStart({ uefi, secureBoot }: Firmware): Reading<boolean> {
  return uefi.known && !uefi.value ? known(false) : secureBoot;
}

function both(one: Reading<boolean>, other: Reading<boolean>): Reading<boolean> {
  if (isFalse(one) || isFalse(other)) return known(false);
  if (!one.known) return unknown(one.why);
  return other;
}

function isTrue(reading: Reading<boolean>): boolean {
  return reading.known && reading.value;
}

function isFalse(reading: Reading<boolean>): boolean {
  return reading.known && !reading.value;
}
