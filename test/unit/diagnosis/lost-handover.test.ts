import { expect, test } from "bun:test";
import { lostHandover } from "../../../src/diagnosis/lost-handover.ts";

const built = "CONFIG_KEXEC_HANDOVER=y\n";
const byDefault = `${built}CONFIG_KEXEC_HANDOVER_ENABLE_DEFAULT=y\n`;

test.each([
  [undefined, undefined, /lacks kho=on: .*, unless .*ENABLE_DEFAULT$/],
  [undefined, built, /lacks kho=on: what was preserved is lost$/],
  [undefined, byDefault, undefined],
  [undefined, "CONFIG_X86=y\n", /no CONFIG_KEXEC_HANDOVER: /],
  [false, byDefault, /says kho=off: /],
  [false, undefined, /says kho=off: /],
  [true, undefined, undefined],
  [true, built, undefined],
  [true, "CONFIG_X86=y\n", /no CONFIG_KEXEC_HANDOVER: /],
] as const)("kho=%p, configuration %p", (asked, config, expected) => {
  const said = lostHandover(asked, config);
  if (expected === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(expected);
});
