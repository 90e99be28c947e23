import { expect, test } from "bun:test";
import { acrossRestart } from "../../../src/linux/device/watchdog.ts";

test("the core's parameter decides, whatever the driver wants", () => {
  expect(acrossRestart("i6300esb", "i6300ESB timer", "0")).toBe("runs-on");
  expect(acrossRestart("hpwdt", "HPE iLO2+ HW Watchdog Timer", "1")).toBe("stops");
});

test("without it the driver decides", () => {
  expect(acrossRestart("i6300esb", "i6300ESB timer", "-1")).toBe("stops");
  expect(acrossRestart("iTCO_wdt", "iTCO_wdt", undefined)).toBe("stops");
  expect(acrossRestart("hpwdt", "HPE iLO2+ HW Watchdog Timer", "-1")).toBe("runs-on");
  expect(acrossRestart(undefined, "i6300ESB timer", "-1")).toBe("stops");
});

test("a driver that is not known is not taken for either", () => {
  expect(acrossRestart("new_wdt", "New", "-1")).toBe("unknown");
  expect(acrossRestart(undefined, "", undefined)).toBe("unknown");
});

test("a watchdog in software ends with its kernel", () => {
  expect(acrossRestart(undefined, "Software Watchdog", "0")).toBe("stops");
});
