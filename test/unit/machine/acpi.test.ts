import { expect, test } from "bun:test";
import { bootParamsRsdp, cmdlineRsdp, systabRsdp } from "../../../src/machine/acpi.ts";

test("the EFI system table: ACPI20 before ACPI, in any order of lines", () => {
  expect(systabRsdp("ACPI=0x7fe14000\nACPI20=0x7fe14014\nSMBIOS=0x7fdd4000\n")).toBe(0x7fe14014n);
  expect(systabRsdp("ACPI20=0x7fe14014\nACPI=0x7fe14000\n")).toBe(0x7fe14014n);
  expect(systabRsdp("SMBIOS=0x1\nACPI=0x7fe14000")).toBe(0x7fe14000n);
  expect(systabRsdp("ACPI20=0x0\nACPI=0x5")).toBe(5n);
  for (const none of [
    "",
    "ACPI20=\n",
    "XACPI20=0x5",
    "ACPI20=0x5z",
    "ACPI20=0x10000000000000000",
  ]) {
    expect(systabRsdp(none)).toBeUndefined();
  }
});

test("boot_params: eight bytes at 0x070, and nothing where they are 0 or cut off", () => {
  const page = new Uint8Array(4096);
  expect(bootParamsRsdp(page)).toBeUndefined();
  new DataView(page.buffer).setBigUint64(0x070, 0xf52e0n, true);
  expect(bootParamsRsdp(page)).toBe(0xf52e0n);
  expect(bootParamsRsdp(page.subarray(0, 0x077))).toBeUndefined();
  expect(bootParamsRsdp(page.subarray(0, 0x078))).toBe(0xf52e0n);
});

test("the command line: the last acpi_rsdp= counts", () => {
  expect(cmdlineRsdp("quiet acpi_rsdp=0x7f00 acpi_rsdp=7f01")).toBe(0x7f01n);
  for (const none of ["", "xacpi_rsdp=0x7", "acpi_rsdp=", "acpi_rsdp=0xzz", "acpi_rsdp=0x0"]) {
    expect(cmdlineRsdp(none)).toBeUndefined();
  }
});
