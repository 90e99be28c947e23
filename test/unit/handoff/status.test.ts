import { describe, expect, test } from "bun:test";
import { describeStatus } from "../../../src/cli/output/describe-status.ts";
import { type PolicyStatus, status, statusOf } from "../../../src/handoff/status.ts";
import { known } from "../../../src/machine/reading.ts";
import type { TpmFacts } from "../../../src/machine/tpm-facts.ts";
import { facts, keyrings, notRead } from "../diagnosis/machine.ts";
import { schemaProblems } from "./schema.ts";

const schema: unknown = await Bun.file(
  `${import.meta.dir}/../../../contrib/status.schema.json`,
).json();

const policy: PolicyStatus = {
  path: "/etc/aegis-kexec/policy.json",
  broken: false,
  trust: ["/etc/org.pub"],
  minGeneration: 40,
  allowAppend: ["console="],
  threshold: 1,
  allowSecret: ["/etc/cryptsetup-keys.d/"],
  fileSystems: null,
  measure: null,
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

  const tpm: TpmFacts = {
    device: "/dev/tpmrm0",
    version: known("2.0"),
    vendor: known("IBM SW   TPM"),
    banks: known([
      {
        bank: "sha256",
        pcrs: { "0": "ab".repeat(32), "8": "00".repeat(32), "12": "cd".repeat(32) },
      },
      { bank: "sha384", pcrs: { "12": "00".repeat(48) } },
    ]),
  };

  test("of a TPM: which it is, its banks, and the values that bear on it", () => {
    const one = statusOf(facts, null, tpm);
    expect(schemaProblems(JSON.parse(JSON.stringify(one)), schema)).toEqual([]);
    expect(one.unknown).toEqual({});
    const text = describeStatus(one).join("\n");
    expect(text).toMatch(/made by +IBM SW/);
    expect(text).toMatch(/banks +sha256, sha384/);
    expect(text).toMatch(new RegExp(`PCR 12 sha256 +${"cd".repeat(32)}`));
    expect(text).not.toMatch(/PCR (0|8) /);
    const measured = { ...policy, measure: { pcr: 12, required: true } };
    expect(describeStatus(statusOf(facts, measured, tpm)).join("\n")).toMatch(
      new RegExp(`PCR 12 sha384 +${"00".repeat(48)}`),
    );
    expect(describeStatus(statusOf(facts, null)).join("\n")).toMatch(/device +none/);
    const ill = { ...tpm, vendor: notRead, banks: notRead, version: notRead };
    const blindOne = statusOf(facts, null, ill);
    expect(schemaProblems(JSON.parse(JSON.stringify(blindOne)), schema)).toEqual([]);
    expect(blindOne.unknown).toMatchObject({ "tpm.banks": "not read", "tpm.vendor": "not read" });
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

describe("the schema", () => {
  const broken: PolicyStatus = { path: "/p", broken: true, why: "policy /p is broken: x" };
  const key = { subject: "Org: CA", id: "00112233445566" };
  const blind = {
    ...facts,
    lockdown: notRead,
    appraisal: notRead,
    container: notRead,
    fiveLevelPaging: notRead,
    signatures: { checked: notRead, enforced: notRead },
    memory: { total: notRead, available: notRead, swapFree: notRead, swappable: notRead },
    keyrings: { ...keyrings(), blacklist: notRead },
  };

  test("every status keeps to it", async () => {
    const revoked = known({ certificates: [key], hashes: [] });
    for (const one of [
      statusOf({ ...facts, keyrings: { ...keyrings([key]), blacklist: revoked } }, policy),
      statusOf({ ...facts, liveUpdate: { ...facts.liveUpdate, finalized: known(false) } }, broken),
      statusOf(blind, null),
      await status(),
    ]) {
      expect(schemaProblems(JSON.parse(JSON.stringify(one)), schema)).toEqual([]);
    }
  });

  test("it refuses what is missing, added, or of another kind", () => {
    const good = statusOf(facts, policy);
    const { release: _, ...less } = good;
    const bad: readonly (readonly [unknown, string])[] = [
      [less, "$.release: missing"],
      [{ ...good, more: 1 }, "$.more: not in the schema"],
      [{ ...good, secureBoot: "on" }, "$.secureBoot: not boolean,null"],
      [{ ...good, lockdown: "some" }, "$.lockdown: none of none,integrity,confidentiality,"],
      [{ ...good, policy: { ...broken, broken: false } }, "$.policy.why: not in the schema"],
      [{ ...good, unknown: { lockdown: 1 } }, "$.unknown.lockdown: not string"],
    ];
    for (const [value, problem] of bad) {
      expect(schemaProblems(value, schema)).toContain(problem);
    }
  });
});
