/** What is loaded, and what this machine allows. */

import type { Architecture } from "../architecture.ts";
import { type KnownPlatform, knownPlatforms } from "../diagnosis/platforms.ts";
import { KexecError } from "../errors.ts";
import { requireLinux } from "../linux/libc.ts";
import { type Displays, readDisplays } from "../machine/displays.ts";
import { type MachineFacts, readMachineFacts } from "../machine/facts.ts";
import type { Lockdown } from "../machine/kernel.ts";
import { readPlatform } from "../machine/platform.ts";
import type { RevokedHash, TrustedKey } from "../machine/proc-keys.ts";
import { type Reading, valueIn } from "../machine/reading.ts";
import type { BankValues, TpmFacts } from "../machine/tpm-facts.ts";
import type { Policy } from "../trust/policy.ts";
import { defaultPolicyPath } from "./gate/gate.ts";
import { readPolicies } from "./gate/trust-files.ts";
import { readSessionKeeper, type SessionKeeper } from "./leave/live-update.ts";

/** `null` stands for what could not be read; `unknown` says why. */
export interface Status {
  readonly architecture: Architecture;
  /** Release of the running kernel. */
  readonly release: string;
  readonly kexec: {
    /** The kernel has kexec_file_load(2). */
    readonly fileLoad: boolean | null;
    readonly loaded: boolean | null;
    readonly crashLoaded: boolean | null;
    /** Bytes that `crashkernel=` reserves. */
    readonly crashSize: number | null;
    /** `kernel.kexec_load_disabled`. */
    readonly disabled: boolean | null;
    /** Loads that are left; -1: unlimited. */
    readonly loadLimitReboot: number | null;
    readonly loadLimitPanic: number | null;
  };
  /** What the kernel does about the signatures of kernel images. */
  readonly signatures: {
    /** It looks at them. */
    readonly checked: boolean | null;
    /** It refuses an image that has no good one. */
    readonly enforced: boolean | null;
    /** IMA appraises kernels by their `security.ima`. */
    readonly imaAppraisal: boolean | null;
  };
  readonly lockdown: Lockdown | null;
  readonly secureBoot: boolean | null;
  /** No platform key is enrolled in firmware. */
  readonly setupMode: boolean | null;
  /** By whom an image may be signed, and what is revoked. */
  readonly keyrings: {
    readonly builtin: readonly TrustedKey[] | null;
    readonly secondary: readonly TrustedKey[] | null;
    readonly machine: readonly TrustedKey[] | null;
    readonly platform: readonly TrustedKey[] | null;
    readonly blacklist: {
      readonly certificates: readonly TrustedKey[];
      /** How many hashes of certificates (`tbs`) and files (`bin`) it has. */
      readonly hashes: Readonly<Record<RevokedHash["of"], number>>;
    } | null;
  };
  /** The TPM that `--measure` extends; null where the kernel has none, which is no unknown. */
  readonly tpm: {
    readonly device: string;
    readonly version: "1.2" | "2.0" | null;
    /** Manufacturer and vendor text. */
    readonly vendor: string | null;
    /** The values of PCR 0 to 15, as lower-case hex. */
    readonly banks: readonly BankValues[] | null;
  } | null;
  /** The machine's own policy; null where there is none, which is no unknown. */
  readonly policy: PolicyStatus | null;
  readonly privilege: {
    readonly capSysBoot: boolean | null;
    readonly initialUserNamespace: boolean | null;
    readonly initialPidNamespace: boolean | null;
    /** `none`, or the name of the container manager; `unnamed` where it has none. */
    readonly container: string | null;
  };
  /** Bytes. */
  readonly memory: { readonly total: number | null; readonly available: number | null };
  /** The running kernel uses 5-level paging, which the next one must be able to start under. */
  readonly fiveLevelPaging: boolean | null;
  readonly handover: {
    /** Kexec handover (KHO) is on. */
    readonly enabled: boolean | null;
    /**
     * Whether its state was finalized, which Linux 6.16 to 6.18 want before the load; null where
     * the kernel has no such step, which is no unknown.
     */
    readonly finalized: boolean | null;
    /** Bytes of the largest scratch area, one of which every file of a load must fit in; null where handover is off. */
    readonly scratch: number | null;
    /** The live update orchestrator (LUO) has its device. */
    readonly liveUpdate: boolean | null;
    /**
     * Who keeps its sessions over a handover of the whole system. `systemd`: from 261 on, those that units put into
     * their stores; `nobody`: an older one, which stops the agents; `agents`: nobody stops them. Null without LUO.
     */
    readonly sessions: SessionKeeper | null;
  };
  /** What the kernel does for a crash kernel. */
  readonly crash: {
    /** It tells a loaded one of processors, and of memory, that come and go; if not, load it again. */
    readonly updatesProcessors: boolean | null;
    readonly updatesMemory: boolean | null;
    /** Keys of encrypted disks that it gives the next one that is loaded. */
    readonly keys: number | null;
    /** They are those of the last load, and need not be in a keyring. */
    readonly keysReused: boolean | null;
  };
  /** The screen of this machine, and the consoles in use. */
  readonly screen: {
    readonly given: Displays["given"];
    /** Who draws on it; null: nobody, or the text console. */
    readonly owner: string | null;
    /** Whether that is a driver of the device itself. */
    readonly native: boolean;
    /** The module that drives the device; null where none is known. */
    readonly driver: string | null;
    readonly consoles: readonly string[];
  };
  /** What is known of handovers on such a machine, each with its source. */
  readonly platforms: readonly KnownPlatform[];
  /** Path of a member above, to the reason why it is null. */
  readonly unknown: Readonly<Record<string, string>>;
}

/** A policy in force, or why there is none that can be kept: then nothing is loaded. */
export type PolicyStatus =
  | {
      readonly path: string;
      readonly broken: false;
      /** Paths of the public keys. */
      readonly trust: readonly string[];
      /** How many of them must have signed. */
      readonly threshold: number;
      readonly minGeneration: number | null;
      readonly allowAppend: readonly string[];
      /** Places where secrets may be put, and below which. */
      readonly allowSecret: readonly string[];
      /** Types that may be mounted to read a source; null where it names none. */
      readonly fileSystems: readonly string[] | null;
      /** What is measured before the jump; null where it asks for nothing. */
      readonly measure: { readonly pcr: number; readonly required: boolean } | null;
    }
  | { readonly path: string; readonly broken: true; readonly why: string };

/** @throws KexecError `unsupported-platform`, `unsupported-architecture`, `no-jit`, `no-libc` */
export async function status(): Promise<Status> {
  requireLinux();
  const { readTpmFacts } = await import("../machine/tpm-facts.ts");
  const facts = readMachineFacts();
  const seen = {
    displays: readDisplays(),
    platforms: knownPlatforms(readPlatform(facts.identity.release)),
  };
  return statusOf(facts, await readPolicyStatus(), await readTpmFacts(), seen);
}

/** What bears on what comes after a handover. */
interface Seen {
  readonly displays: Displays;
  readonly platforms: readonly KnownPlatform[];
}

const noDisplays: Displays = { given: "none", owner: undefined, native: undefined, consoles: [] };

/** The facts in the form that is shown. */
export function statusOf(
  facts: MachineFacts,
  policy: PolicyStatus | null,
  tpm?: TpmFacts | undefined,
  { displays, platforms }: Seen = { displays: noDisplays, platforms: [] },
): Status {
  const { identity, kexec, build, signatures, firmware, keyrings, privilege, memory } = facts;
  const unknown: Record<string, string> = {};
  const take = <T>(member: string, reading: Reading<T>): T | null => {
    if (!reading.known) unknown[member] = reading.why;
    return valueIn(reading) ?? null;
  };
  const { builtin, secondary, machine, platform } = keyrings.trusted;
  const blacklist = take("keyrings.blacklist", keyrings.blacklist);
  const count = (of: RevokedHash["of"]) =>
    blacklist?.hashes.filter((entry) => entry.of === of).length ?? 0;
  return {
    ...identity,
    kexec: {
      fileLoad: take("kexec.fileLoad", build.kexecFile),
      loaded: take("kexec.loaded", kexec.loaded),
      crashLoaded: take("kexec.crashLoaded", kexec.crashLoaded),
      crashSize: take("kexec.crashSize", kexec.crashSize),
      disabled: take("kexec.disabled", kexec.disabled),
      loadLimitReboot: take("kexec.loadLimitReboot", kexec.loadLimitReboot),
      loadLimitPanic: take("kexec.loadLimitPanic", kexec.loadLimitPanic),
    },
    signatures: {
      checked: take("signatures.checked", signatures.checked),
      enforced: take("signatures.enforced", signatures.enforced),
      imaAppraisal: take("signatures.imaAppraisal", facts.appraisal),
    },
    lockdown: take("lockdown", facts.lockdown),
    secureBoot: take("secureBoot", firmware.secureBoot),
    setupMode: take("setupMode", firmware.setupMode),
    keyrings: {
      builtin: take("keyrings.builtin", builtin),
      secondary: take("keyrings.secondary", secondary),
      machine: take("keyrings.machine", machine),
      platform: take("keyrings.platform", platform),
      blacklist:
        blacklist === null
          ? null
          : {
              certificates: blacklist.certificates,
              hashes: { tbs: count("tbs"), bin: count("bin") },
            },
    },
    tpm:
      tpm === undefined
        ? null
        : {
            device: tpm.device,
            version: take("tpm.version", tpm.version),
            vendor: take("tpm.vendor", tpm.vendor),
            banks: take("tpm.banks", tpm.banks),
          },
    policy,
    privilege: {
      capSysBoot: take("privilege.capSysBoot", privilege.capSysBoot),
      initialUserNamespace: take("privilege.initialUserNamespace", privilege.initialUserNamespace),
      initialPidNamespace: take("privilege.initialPidNamespace", privilege.initialPidNamespace),
      container: take("privilege.container", facts.container),
    },
    memory: {
      total: take("memory.total", memory.total),
      available: take("memory.available", memory.available),
    },
    fiveLevelPaging: take("fiveLevelPaging", facts.fiveLevelPaging),
    handover: {
      enabled: take("handover.enabled", facts.liveUpdate.handover),
      finalized: take("handover.finalized", facts.liveUpdate.finalized),
      scratch: take("handover.scratch", facts.liveUpdate.scratch),
      liveUpdate: take("handover.liveUpdate", facts.liveUpdate.orchestrator),
      sessions: take("handover.sessions", readSessionKeeper(facts.liveUpdate.orchestrator)),
    },
    crash: {
      updatesProcessors: take("crash.updatesProcessors", facts.crash.updatesProcessors),
      updatesMemory: take("crash.updatesMemory", facts.crash.updatesMemory),
      keys: take("crash.keys", facts.crash.keys),
      keysReused: take("crash.keysReused", facts.crash.keysReused),
    },
    screen: {
      given: displays.given,
      owner: displays.owner?.name ?? null,
      native: displays.owner?.native ?? false,
      driver: displays.native ?? null,
      consoles: displays.consoles,
    },
    platforms,
    unknown,
  };
}

/** A broken policy is shown as that: it stops every load, and the status should say so. */
async function readPolicyStatus(): Promise<PolicyStatus | null> {
  let policy: Policy | undefined;
  try {
    [policy] = await readPolicies(undefined);
  } catch (error) {
    if (!(error instanceof KexecError)) throw error;
    return { path: defaultPolicyPath, broken: true, why: error.message };
  }
  if (policy === undefined) return null;
  const { minGeneration, fileSystems, measure, ...rest } = policy;
  return {
    ...rest,
    broken: false,
    minGeneration: minGeneration ?? null,
    fileSystems: fileSystems ?? null,
    measure: measure ?? null,
  };
}
