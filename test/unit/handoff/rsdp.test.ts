import { expect, test } from "bun:test";
import { parseRsdpWanted } from "../../../src/handoff/option-values.ts";
import { chooseRsdp } from "../../../src/handoff/stages/rsdp.ts";
import type { RsdpFacts } from "../../../src/machine/acpi.ts";

const nothing: RsdpFacts = {
  bootParams: undefined,
  efi: undefined,
  cmdline: undefined,
  uefi: true,
  efiPassedOn: false,
};

test("auto adds a word only where the next kernel would not find the tables", () => {
  expect(chooseRsdp("auto", { ...nothing, efi: 0x7fe14014n })).toEqual({
    add: "acpi_rsdp=0x7fe14014",
  });
  expect(chooseRsdp("auto", { ...nothing, cmdline: 0x7fn })).toEqual({ add: "acpi_rsdp=0x7f" });
  for (const found of [
    { ...nothing, efi: 1n, bootParams: 1n },
    { ...nothing, efi: 1n, efiPassedOn: true },
    { ...nothing, uefi: false },
    nothing,
  ]) {
    expect(chooseRsdp("auto", found).add).toBeUndefined();
  }
});

test("an address is added as it is", () => {
  expect(chooseRsdp(0xf52e0n, { ...nothing, bootParams: 1n })).toEqual({
    add: "acpi_rsdp=0xf52e0",
  });
});

test("the value is auto or a hexadecimal address", () => {
  expect(parseRsdpWanted("auto")).toBe("auto");
  expect(parseRsdpWanted("0x7FE14014")).toBe(0x7fe14014n);
  for (const wrong of [
    "",
    "Auto",
    "7fe14014",
    "0x",
    "0x0",
    "0x1g",
    "0x11112222333344445",
    "0x1 quiet",
  ]) {
    expect(parseRsdpWanted(wrong)).toBeUndefined();
  }
});
