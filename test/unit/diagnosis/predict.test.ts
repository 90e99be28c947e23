import { describe, expect, test } from "bun:test";
import { predictCall, predictPermission } from "../../../src/diagnosis/predict.ts";
import type { Judgement } from "../../../src/diagnosis/signature-check.ts";
import { type MachineFacts, signatureRules } from "../../../src/machine/facts.ts";
import { known, unknown } from "../../../src/machine/reading.ts";
import { facts, kexec, notRead, privilege } from "./machine.ts";

const integrity = known<"integrity">("integrity");
const unsigned: Judgement = {
  verdict: "refused",
  code: "kernel-unsigned",
  errno: "ENODATA",
  why: "it carries no signature",
};
const good: Judgement = { verdict: "good", signer: '"CN=Us"', keyring: ".platform" };
const open: Judgement = { verdict: "unknown", why: "whether its signer is trusted is not known" };

function call(judgement: Judgement, changes: Partial<MachineFacts> = {}, crash = false) {
  const kernelMemory = 3 << 20;
  const candidate = { judgement, kernelSize: 1 << 20, kernelMemory, initrdSize: 1 << 20, crash };
  const { reasons, doubts, notes } = predictCall("load k", { ...facts, ...changes }, candidate);
  return {
    reasons: reasons.map(({ code }) => code),
    doubts: doubts.map(({ code }) => code),
    notes,
  };
}

describe("the call", () => {
  test("without a check everything passes", () => {
    expect(call(unsigned)).toEqual({ reasons: [], doubts: [], notes: [] });
    const off = { checked: known(false), enforced: known(false) };
    expect(call(unsigned, { signatures: off, lockdown: integrity }).reasons).toEqual([]);
  });

  test("an enforced check names the cause, lockdown alone hides it behind its own", () => {
    const enforced = { checked: known(true), enforced: known(true) };
    const locked = { lockdown: integrity };
    expect(call(unsigned, { signatures: enforced, ...locked }).reasons).toEqual([
      "kernel-unsigned",
    ]);
    expect(call(unsigned, locked).reasons).toEqual(["lockdown"]);
    expect(call(good, { signatures: enforced, ...locked })).toEqual({
      reasons: [],
      doubts: [],
      notes: [],
    });
  });

  test("what is not known is a doubt, and says so", () => {
    const maybe = { checked: known(true), enforced: unknown("no configuration") };
    expect(call(unsigned, { signatures: maybe })).toMatchObject({
      reasons: [],
      doubts: ["kernel-unsigned"],
    });
    expect(call(unsigned, { lockdown: notRead }).doubts).toEqual(["lockdown"]);
    const enforced = { checked: known(true), enforced: known(true) };
    expect(call(open, { signatures: enforced })).toMatchObject({
      reasons: [],
      doubts: ["kernel-signature-refused"],
    });
    expect(call(good, { signatures: maybe, lockdown: notRead }).doubts).toEqual([]);
  });

  test("no call, no verifier, IMA, handover", () => {
    const { build, liveUpdate } = facts;
    expect(call(good, { build: { ...build, kexecFile: known(false) } }).reasons).toEqual([
      "no-kexec-file",
    ]);
    const enforced = { checked: known(true), enforced: known(true) };
    const blind = { ...build, kexecVerifier: known(false) };
    expect(call(good, { build: blind, signatures: enforced }).reasons).toEqual([
      "kernel-signature-refused",
    ]);
    expect(call(good, { appraisal: known(true) }).doubts).toEqual(["ima-refused"]);
    expect(call(good, { appraisal: notRead }).doubts).toEqual(["ima-refused"]);
    const on = { ...liveUpdate, handover: known(true), finalized: known(false) };
    expect(call(good, { liveUpdate: on })).toMatchObject({
      doubts: ["no-room"],
      notes: [expect.stringContaining("not finalized")],
    });
    const fits = { ...on, scratch: known(4 << 20) };
    expect(call(good, { liveUpdate: fits })).toMatchObject({
      reasons: [],
      doubts: [],
      notes: [expect.any(String), expect.stringContaining("at most 4.0 MiB")],
    });
    const tight = { ...on, scratch: known((4 << 20) - 1) };
    expect(call(good, { liveUpdate: tight })).toMatchObject({ reasons: [], doubts: ["no-room"] });
    const small = { ...on, scratch: known((3 << 20) - 1) };
    expect(call(good, { liveUpdate: small }).reasons).toEqual(["no-room"]);
    expect(call(good, { liveUpdate: small }, true).reasons).toEqual([]);
  });

  test("a crash kernel must fit what is reserved for it", () => {
    const reserved = (bytes: number) => ({ kexec: { ...kexec, crashSize: known(bytes) } });
    expect(call(good, reserved(4 << 20), true).reasons).toEqual([]);
    expect(call(good, reserved((4 << 20) - 1), true).reasons).toEqual(["no-room"]);
    expect(call(good, reserved((4 << 20) - 1)).reasons).toEqual([]);
  });
});

describe("the permission", () => {
  test("the caller's own rights are a note, the machine's switches are reasons", () => {
    const powerless = { ...privilege, capSysBoot: known(false) };
    const asUser = predictPermission("load k", { ...facts, privilege: powerless }, false);
    expect(asUser.reasons).toEqual([]);
    expect(asUser.notes[0]).toContain("exit 7");
    const off = { ...facts, kexec: { ...kexec, disabled: known(true) } };
    expect(predictPermission("load k", off, false).reasons[0]?.code).toBe("kexec-disabled");
    const used = { ...facts, kexec: { ...kexec, loadLimitPanic: known(0) } };
    expect(predictPermission("load k", used, false).reasons).toEqual([]);
    expect(predictPermission("load k", used, true).reasons[0]?.code).toBe("load-limit-reached");
    const none = { ...facts, kexec: { ...kexec, crashSize: known(0) } };
    expect(predictPermission("load k", none, true).reasons[0]?.code).toBe("no-crash-memory");
  });
});

describe("whether signatures are compulsory", () => {
  const { build, firmware } = facts;
  const rules = (b: Partial<typeof build>, f: Partial<typeof firmware> = {}) =>
    signatureRules({ ...build, ...b }, { ...firmware, ...f }).enforced;

  test("by the build, or by Secure Boot with the architecture's policy", () => {
    expect(rules({})).toEqual(known(false));
    expect(rules({ kexecSigForce: known(true) })).toEqual(known(true));
    expect(rules({}, { secureBoot: known(true) })).toEqual(known(true));
    expect(rules({ imaArchPolicy: known(false) }, { secureBoot: known(true) })).toEqual(
      known(false),
    );
    expect(rules({ kexecSig: known(false) }, { secureBoot: known(true) })).toEqual(known(false));
  });

  test("what cannot be read is not a no", () => {
    expect(rules({}, { secureBoot: notRead }).known).toBe(false);
    expect(rules({ imaArchPolicy: notRead }, { secureBoot: known(true) }).known).toBe(false);
    expect(rules({ kexecSigForce: notRead }).known).toBe(false);
    // Without UEFI the kernel takes Secure Boot for off, whatever it cannot read.
    expect(rules({}, { uefi: known(false), secureBoot: notRead })).toEqual(known(false));
  });
});
