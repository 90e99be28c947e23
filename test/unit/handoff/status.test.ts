import { describe, expect, test } from "bun:test";
import { describeStatus } from "../../../src/cli/describe-status.ts";
import { type PolicyStatus, statusOf } from "../../../src/handoff/status.ts";
import { known } from "../../../src/linux/reading.ts";
import { facts, keyrings, notRead } from "./machine.ts";

const policy: PolicyStatus = {
  path: "/etc/aegis-kexec/policy.json",
  broken: false,
  trust: ["/etc/org.pub"],
  minGeneration: 40,
  allowAppend: ["console="],
};

describe("status", () => {
  test("what is known is told, and nothing is unknown", () => {
    const platform = [{ subject: "Org: CA", id: "00112233445566" }];
    const status = statusOf({ ...facts, keyrings: keyrings(platform) }, policy);
    expect(status.unknown).toEqual({});
    expect(status.keyrings.platform).toEqual(platform);
    const text = describeStatus(status).join("\n");
    expect(text).toContain("Org: CA (33445566)");
    expect(text).toMatch(/lowest generation +40/);
    expect(text).not.toContain("unknown");
  });

  test("what is not known is null, with its reason under its own path", () => {
    const status = statusOf({ ...facts, lockdown: notRead, appraisal: notRead }, null);
    expect(status).toMatchObject({ lockdown: null, signatures: { imaAppraisal: null } });
    expect(status.unknown).toEqual({
      lockdown: "not read",
      "signatures.imaAppraisal": "not read",
    });
    expect(describeStatus(status).join("\n")).toMatch(/lockdown +unknown \(not read\)/);
  });

  test("a broken policy shows as that", () => {
    const status = statusOf(facts, { path: "/p", broken: true, why: "policy /p is broken: x" });
    expect(describeStatus(status).join("\n")).toContain("broken, nothing is loaded");
  });

  test("revoked hashes are counted, not listed", () => {
    const hash = { of: "bin", hash: "ab".repeat(32) } as const;
    const blacklist = known({
      certificates: [],
      hashes: [hash, hash, { ...hash, of: "tbs" } as const],
    });
    const status = statusOf({ ...facts, keyrings: { ...keyrings(), blacklist } }, null);
    expect(status.keyrings.blacklist).toEqual({ certificates: [], hashes: { tbs: 1, bin: 2 } });
  });
});
