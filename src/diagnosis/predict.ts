/**
 * Predicts from the facts of the machine what the system call would answer, in the kernel's order.
 * Pure.
 */
import { type Cause, cannot, errorCodes, type KexecError } from "../errors.ts";
import type { MachineFacts } from "../machine/facts.ts";
import { valueIn } from "../machine/reading.ts";
import { mebibytes } from "./cause.ts";
import { lockdownCause } from "./denied.ts";
import { noPlaceCause, noPlaceInScratch } from "./image.ts";
import { noFileLoad } from "./kernel-state.ts";
import { crashMemoryCause, permissionCause } from "./permission.ts";
import { judgedCause } from "./signature.ts";
import { type Judgement, unverifiable } from "./signature-check.ts";

/** The outcome that is expected of one step, and how certain it is. */
export interface Prediction {
  readonly reasons: readonly KexecError[];
  /** The other outcomes that are possible, because something could not be seen. */
  readonly doubts: readonly KexecError[];
  readonly notes: readonly string[];
}

const nothing: Prediction = { reasons: [], doubts: [], notes: [] };

/** Predicts what `load` checks first. The caller's own rights give a note, no reason. */
export function predictPermission(doing: string, facts: MachineFacts, crash: boolean): Prediction {
  const { kexec, privilege } = facts;
  const limit = valueIn(crash ? kexec.loadLimitPanic : kexec.loadLimitReboot);
  const own = permissionCause(privilege, kexec, limit, crash);
  const assumed = {
    capSysBoot: { known: true, value: true },
    initialUserNamespace: { known: true, value: true },
  } as const;
  const machine =
    permissionCause(assumed, kexec, limit, crash) ??
    (crash ? crashMemoryCause(valueIn(kexec.crashSize)) : undefined);
  const notes =
    own?.code === "no-capability"
      ? [`this process could not load it (exit ${errorCodes[own.code]}): ${own.hint}`]
      : [];
  return { ...nothing, reasons: machine === undefined ? [] : [cannot(doing, machine)], notes };
}

/** The facts of a kernel and its initramfs by which the call judges them. */
export interface Candidate {
  /** The outcome of the signature check. */
  readonly judgement: Judgement;
  /** Bytes of the image, and what it needs in one place to start; the whole initramfs. */
  readonly kernelSize: number;
  readonly kernelMemory: number;
  readonly initrdSize: number;
  readonly crash: boolean;
}

/** Predicts the answer of kexec_file_load(2). */
export function predictCall(doing: string, facts: MachineFacts, candidate: Candidate): Prediction {
  if (valueIn(facts.build.kexecFile) === false) {
    return { ...nothing, reasons: [cannot(doing, noFileLoad)] };
  }
  const signature = predictSignature(doing, facts, candidate.judgement);
  const reasons = [...signature.reasons];
  const doubts = [...signature.doubts];
  if (valueIn(facts.appraisal) === true) {
    const why =
      "IMA appraises kernels here, and what security.ima says of this file was not looked at";
    doubts.push(cannot(doing, { code: "ima-refused", why }));
  }
  if (!facts.appraisal.known) {
    const why = `if IMA appraises kernels, which is not known (${facts.appraisal.why}), and this file's security.ima does not pass`;
    doubts.push(cannot(doing, { code: "ima-refused", why }));
  }
  const finalized = valueIn(facts.liveUpdate.finalized);
  const notes =
    finalized === false
      ? ["kexec handover is on and was not finalized: nothing would be handed over"]
      : [];
  const place = candidate.crash
    ? predictCrashPlace(doing, facts, candidate)
    : predictScratch(doing, facts, candidate);
  return {
    reasons: [...reasons, ...place.reasons],
    doubts: [...doubts, ...place.doubts],
    notes: [...notes, ...place.notes],
  };
}

/** A crash kernel has its own memory and needs no other: locate_mem_hole_callback. */
function predictCrashPlace(doing: string, facts: MachineFacts, candidate: Candidate): Prediction {
  const reserved = valueIn(facts.kexec.crashSize);
  const { kernelMemory, initrdSize } = candidate;
  if (reserved === undefined || kernelMemory + initrdSize <= reserved) return nothing;
  return { ...nothing, reasons: [cannot(doing, noPlaceCause(candidate, reserved, undefined))] };
}

/**
 * Where kexec handover is on, each segment goes into one part of its scratch area:
 * kho_locate_mem_hole.
 */
function predictScratch(doing: string, facts: MachineFacts, candidate: Candidate): Prediction {
  if (valueIn(facts.liveUpdate.handover) !== true) return nothing;
  const scratch = valueIn(facts.liveUpdate.scratch) ?? undefined;
  const { kernelMemory, initrdSize } = candidate;
  const cause = noPlaceInScratch(candidate, scratch);
  const doubt = (on = "") => cannot(doing, { ...cause, why: `if ${cause.why}${on}` });
  if (scratch === undefined) {
    return { ...nothing, doubts: [doubt(", whose size shows in debugfs (/sys/kernel/debug)")] };
  }
  if (Math.max(kernelMemory, initrdSize) > scratch) {
    return { ...nothing, reasons: [cannot(doing, cause)] };
  }
  const most = mebibytes(scratch);
  const doubts = kernelMemory + initrdSize > scratch ? [doubt()] : [];
  const note = `kexec handover is on: every file must fit its scratch area, at most ${most}`;
  return { ...nothing, doubts, notes: [note] };
}

/** Predicts the outcome of the signature check: kimage_validate_signature, kernel/kexec_file.c. */
function predictSignature(doing: string, facts: MachineFacts, judgement: Judgement): Prediction {
  const { checked, enforced } = facts.signatures;
  if (valueIn(checked) === false) {
    const notes =
      judgement.verdict === "good"
        ? []
        : ["this kernel does not look at the signatures of images (CONFIG_KEXEC_SIG is off)"];
    return { ...nothing, notes: valueIn(facts.lockdown) === "none" ? [] : notes };
  }
  const found = valueIn(facts.build.kexecVerifier) === false ? unverifiable : judgement;
  if (found.verdict === "good") return nothing;
  const { uefi } = facts.firmware;
  const level = valueIn(facts.lockdown);
  const error = (certain: boolean, cause: Cause): KexecError =>
    cannot(doing, certain ? cause : { ...cause, why: `if ${cause.why}` });

  const refusal =
    found.verdict === "refused"
      ? judgedCause(found, uefi)
      : ({ code: "kernel-signature-refused", why: found.why } as const);
  const decided = found.verdict === "refused";
  if (valueIn(enforced) === true) {
    const outcome = error(true, refusal);
    return decided ? { ...nothing, reasons: [outcome] } : { ...nothing, doubts: [outcome] };
  }
  const doubts: KexecError[] = [];
  if (!enforced.known) {
    const why = `the kernel enforces signatures, which is not known (${enforced.why}): ${refusal.why}`;
    doubts.push(error(false, { ...refusal, why }));
  }
  if (level === "none") return { ...nothing, doubts };
  const locked = lockdownCause(level, { judgement: found, uefi });
  if (level === undefined) return { ...nothing, doubts: [...doubts, error(false, locked)] };
  const outcome = error(true, locked);
  return decided && checked.known
    ? { ...nothing, reasons: [outcome], doubts }
    : { ...nothing, doubts: [...doubts, outcome] };
}
