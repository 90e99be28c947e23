/** What `inspect` says of a policy that has the load measured. */
import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { predictMeasurement } from "../../../src/handoff/inspection/measure.ts";
import { measureOutlook } from "../../../src/handoff/stages/measure.ts";
import type { Policy } from "../../../src/trust/policy.ts";

const hasTpm = existsSync("/dev/tpmrm0") || existsSync("/dev/tpm0");
const nothing = { reasons: [], doubts: [], notes: [] };

function policies(...measures: readonly Policy["measure"][]): readonly Policy[] {
  return measures.map((measure) => ({
    path: "p.json",
    trust: ["org.pub"],
    threshold: 1,
    minGeneration: undefined,
    allowAppend: [],
    allowSecret: [],
    fileSystems: undefined,
    measure,
    sha256: "",
  }));
}

test("nothing is said where nothing is measured", async () => {
  expect(await predictMeasurement({ measure: undefined }, policies(undefined), false)).toEqual(
    nothing,
  );
});

describe.skipIf(hasTpm)("on a machine without a TPM", () => {
  test("what must be measured is the load's own refusal", async () => {
    const demanded = policies({ pcr: 12, required: true });
    const { refusal } = await measureOutlook({ measure: undefined }, demanded);
    const { reasons, doubts } = await predictMeasurement({ measure: undefined }, demanded, false);
    expect(reasons.map(({ message, exit }) => [message, exit])).toEqual([
      [
        "cannot measure: this machine has no TPM: neither /dev/tpmrm0 nor /dev/tpm0 exists",
        refusal?.exit ?? 0,
      ],
    ]);
    expect(reasons[0]?.exit).toBe(12);
    expect(doubts).toEqual([]);
  });

  test("what may be measured is the load's own warning", async () => {
    const { reasons, notes } = await predictMeasurement(
      { measure: undefined },
      policies({ pcr: 12, required: false }),
      false,
    );
    expect(reasons).toEqual([]);
    expect(notes).toEqual([expect.stringMatching(/^nothing is measured: .* no TPM/)]);
  });
});

test("of another machine's policy it is a doubt, whatever this machine has", async () => {
  const { reasons, doubts } = await predictMeasurement(
    { measure: undefined },
    policies({ pcr: 12, required: true }),
    true,
  );
  expect(reasons).toEqual([]);
  expect(doubts.map(({ message, exit }) => [message, exit])).toEqual([
    ["cannot measure: if the machine of that policy has no TPM with PCR 12", 12],
  ]);
  const optional = policies({ pcr: 12, required: false });
  expect(await predictMeasurement({ measure: undefined }, optional, true)).toEqual(nothing);
});
