/** A machine that allows everything, to be changed by each test. */
import type { LoadAttempt, LoadEvidence } from "../../../src/diagnosis/evidence.ts";
import type { MachineFacts } from "../../../src/machine/facts.ts";
import type { Keyrings, TrustedKey } from "../../../src/machine/proc-keys.ts";
import { known, unknown } from "../../../src/machine/reading.ts";

export const gibibyte = 1 << 30;

export const kexec = {
  loaded: known(false),
  crashLoaded: known(false),
  crashSize: known(256 << 20),
  disabled: known(false),
  loadLimitReboot: known(-1),
  loadLimitPanic: known(-1),
};

export const privilege = {
  capSysBoot: known(true),
  initialUserNamespace: known(true),
  initialPidNamespace: known(true),
};

export const evidence: LoadEvidence = {
  architecture: "x86_64",
  kexec,
  lockdown: known("none"),
  privilege,
  memory: {
    total: known(4 * gibibyte),
    available: known(2 * gibibyte),
    swapFree: known(0),
    swappable: known(gibibyte),
  },
};

export const attempt: LoadAttempt = {
  name: "vmlinuz",
  crash: false,
  debug: false,
  kernelSize: 12 << 20,
  initrdSize: 60 << 20,
  limitBefore: -1,
};

export function keyrings(platform: readonly TrustedKey[] = []): Keyrings {
  return {
    trusted: {
      builtin: known([]),
      secondary: known([]),
      machine: known([]),
      platform: known(platform),
    },
    blacklist: known({ certificates: [], hashes: [] }),
  };
}

export const facts: MachineFacts = {
  identity: { architecture: "x86_64", release: "6.12.0" },
  kexec,
  build: {
    kexecFile: known(true),
    kexecSig: known(true),
    kexecVerifier: known(true),
    kexecSigForce: known(false),
    imaArchPolicy: known(true),
    imaAppraise: known(true),
    imaWritePolicy: known(false),
    kexecHandover: known(false),
    kexecHandoverDefault: known(false),
  },
  lockdown: known("none"),
  firmware: {
    uefi: known(true),
    secureBoot: known(false),
    setupMode: known(false),
    efi32Runtime: known(false),
  },
  signatures: { checked: known(true), enforced: known(false) },
  appraisal: known(false),
  keyrings: keyrings(),
  privilege,
  container: known("none"),
  memory: evidence.memory,
  fiveLevelPaging: known(false),
  crash: {
    updatesProcessors: known(true),
    updatesMemory: known(false),
    keys: known(0),
    keysReused: known(false),
  },
  liveUpdate: {
    handover: known(false),
    finalized: known(null),
    orchestrator: known(false),
    scratch: known(null),
  },
};

export const notRead = unknown("not read");
