/** `--acpi-rsdp auto` under UEFI: a word is added only where the next kernel would be without ACPI. */
import { expect } from "bun:test";
import { initrd, scene, vmlinuz } from "./lib/aegis.ts";
import type { Guest } from "./lib/guest.ts";
import { bootAsPredicted } from "./lib/prediction.ts";
import { vmTest } from "./lib/suite.ts";

const code = "/usr/share/OVMF/OVMF_CODE_4M.fd";
const variables = "/usr/share/OVMF/OVMF_VARS_4M.fd";
const needs = ["debian-6.12", `file:${code}`, `file:${variables}`] as const;

/** A guest under UEFI, whose kernel has runtime services or not. */
function underUefi(cmdline: string) {
  return scene({
    first: "debian-6.12",
    guest: { cmdline, bootTimeout: 120, firmware: { code, variables } },
  });
}

const boot = (guest: Guest, line: string) =>
  bootAsPredicted(guest, `${vmlinuz} --initrd ${initrd} --cmdline "${line}" --acpi-rsdp auto`, {
    more: "--verbose",
  });

vmTest("with EFI runtime services nothing is added, and ACPI is found", { needs }, async () => {
  const given = underUefi("");
  await using guest = await given.start();
  const next = await boot(guest, given.console);
  expect(next.cmdline).toBe(given.console);
  expect(await guest.check("dmesg")).toContain("ACPI: RSDP 0x");
});

vmTest("without them the address is added, and ACPI is found", { needs }, async () => {
  const given = underUefi("efi=noruntime");
  await using guest = await given.start();
  const address = (await guest.check("sed -n s/^ACPI20=//p /sys/firmware/efi/systab")).trim();
  const next = await boot(guest, given.console);
  expect(next.cmdline).toBe(`${given.console} acpi_rsdp=${address}`);
  expect(await guest.check("dmesg")).toContain("ACPI: RSDP 0x");
});
